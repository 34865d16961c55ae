export interface FormPart {
  readonly head: string
  readonly bytes: Buffer
}

/** The parts of a multipart/form-data body, as far as it is one with an end; undefined for another type. */
export function formParts(contentType: string | undefined, body: Buffer): FormPart[] | undefined {
  const boundary = /^multipart\/form-data; boundary=(\S+)$/.exec(contentType ?? '')?.[1]
  if (boundary === undefined) return undefined
  const delimiter = `--${boundary}`
  const parts: FormPart[] = []
  for (let at = body.indexOf(delimiter); at >= 0; ) {
    if (body.subarray(at).toString('latin1', 0, delimiter.length + 2) === `${delimiter}--`) return parts
    const head = body.indexOf('\r\n\r\n', at)
    const end = head < 0 ? -1 : body.indexOf(`\r\n${delimiter}`, head + 4)
    if (end < 0) return []
    parts.push({ head: body.subarray(at, head).toString(), bytes: Buffer.from(body.subarray(head + 4, end)) })
    at = end + 2
  }
  return []
}

/** Everything that comes, up to `limit` bytes; more is the error. */
export async function readBounded(chunks: AsyncIterable<Uint8Array>, limit: number, tooLong: () => Error): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const chunk of chunks) {
    length += chunk.length
    if (length > limit) throw tooLong()
    parts.push(chunk)
  }
  return Buffer.concat(parts)
}

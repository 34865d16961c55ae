import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'
import type { Channel, Reply } from '../../../main/api/contract.ts'

/** A storage of somebody who wants what comes: takes everything, answers as S3 does, and keeps all that it heard. */
export interface AttackerServer extends AsyncDisposable {
  readonly endpoint: string
  /** Keys of its objects. */
  readonly objects: ReadonlyMap<string, Buffer>
  /** All that it heard: requests with their headers and bodies. */
  readonly heard: readonly string[]
}

export async function openAttackerServer(): Promise<AttackerServer> {
  const objects = new Map<string, Buffer>()
  const heard: string[] = []
  const server = createServer((request, reply) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const body = Buffer.concat(parts)
      heard.push(`${request.method} ${request.url} ${JSON.stringify(request.headers)}\n${body.toString('latin1')}`)
      answer(objects, request, body, reply)
    })
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    objects,
    heard,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function answer(objects: Map<string, Buffer>, { method, url, headers }: IncomingMessage, body: Buffer, reply: ServerResponse): void {
  const { pathname, searchParams } = new URL(url ?? '/', 'http://attacker')
  const key = decodeURIComponent(pathname.split('/').slice(2).join('/'))
  if (method === 'PUT' && headers['if-none-match'] === '*' && objects.has(key)) reply.writeHead(412).end()
  else if (method === 'PUT') {
    objects.set(key, body)
    reply.writeHead(200, { etag: '"x"' }).end()
  } else if (method === 'DELETE') {
    objects.delete(key)
    reply.writeHead(204).end()
  } else if (searchParams.has('list-type') || key === '') {
    const prefix = searchParams.get('prefix') ?? ''
    // In the order of names, as S3 promises: what lists otherwise is refused before anybody could attack with it.
    const inOrder = [...objects].sort(([left], [right]) => (left < right ? -1 : 1))
    const listed = inOrder.filter(([name]) => name.startsWith(prefix)).map(([name, bytes]) => `<Contents><Key>${name}</Key><Size>${bytes.length}</Size></Contents>`)
    reply.writeHead(200, { 'content-type': 'application/xml' }).end(`<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated>${listed.join('')}</ListBucketResult>`)
  } else {
    const found = objects.get(key)
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? []
    if (found && first !== undefined && last !== undefined) {
      const part = found.subarray(Number(first), Number(last) + 1)
      reply.writeHead(206, { etag: '"x"', 'content-length': part.length, 'content-range': `bytes ${first}-${Number(first) + part.length - 1}/${found.length}` }).end(part)
    } else if (found) reply.writeHead(200, { etag: '"x"', 'content-length': found.length }).end(method === 'HEAD' ? undefined : found)
    else reply.writeHead(404, { 'content-type': 'application/xml' }).end(method === 'HEAD' ? undefined : '<Error><Code>NoSuchKey</Code></Error>')
  }
}

/** Stands for exact bytes in a request, which crosses to the page as JSON. */
export const bytes = (...values: readonly number[]): { readonly $bytes: readonly number[] } => ({ $bytes: values })

/** Sends a request over the window's own bridge, as any script in the page could. */
export function send(page: Page, channel: Channel, request: unknown): Promise<Reply<unknown>> {
  return page.evaluate(async ([name, text]) => {
    const revive = (_key: string, value: unknown): unknown =>
      (typeof value === 'object' && value !== null && '$bytes' in value ? Uint8Array.from(value.$bytes as number[]) : value)
    const { holdfast } = globalThis as unknown as { holdfast: { invoke(channel: string, request?: unknown): Promise<Reply<unknown>> } }
    return holdfast.invoke(name, text === undefined ? undefined : JSON.parse(text, revive))
  }, [channel, request === undefined ? undefined : JSON.stringify(request)] as const)
}

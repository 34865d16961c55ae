import { randomBytes } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { drip, listEntry, listPage, partOf, pour, sendError, sendXml, type Exchange, type Lie } from './hostile-s3.ts'

const page = '<!DOCTYPE html><html><head><title>Welcome</title></head><body>Please log in</body></html>'
const listHead = '<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated>'
const hex = (count: number): string => count.toString(16).padStart(30, '0')

/** What a terminal would obey: colours, a window title, a cleared screen, reversed text, a line of its own. */
const escapes = 'Evil\u001b[2J\u001b]0;title\u0007\u009b31m\u202egnp.exe\r\nholdfast: all is well'

function on(types: readonly Exchange['type'][], lie: Lie): Lie {
  return (exchange) => (types.includes(exchange.type) ? lie(exchange) : exchange.honest())
}

/** An object's reply in the liar's own way. */
function onObject(lie: (exchange: Exchange, part: ReturnType<typeof partOf>) => void | Promise<void>): Lie {
  return on(['get'], (exchange) => {
    const stored = exchange.objects.get(exchange.key)
    return stored ? lie(exchange, partOf(stored, exchange.request.headers.range)) : exchange.honest()
  })
}

function html({ request, reply }: Exchange): void {
  request.resume()
  reply.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-length': page.length }).end(request.method === 'HEAD' ? undefined : page)
}

function raw(text: string | Buffer): Lie {
  return ({ socket }) => { socket.end(text) }
}

const always = (status: number, code: string, headers: Readonly<Record<string, string>> = {}, more = ''): Lie => ({ request, reply }) => {
  request.resume()
  sendError(reply, status, code, more, headers)
}

/** Every way to lie, by name. */
export const lies = {
  // Lists
  'endless list body': on(['list'], ({ reply, key }) => {
    reply.writeHead(200, { 'content-type': 'application/xml' }).write(listHead)
    return pour(reply, (count) => Array.from({ length: 1000 }, (_, at) => listEntry(`${key}${hex(count * 1000 + at)}`, 1)).join(''))
  }),
  'endless white space in a list': on(['list'], ({ reply }) => {
    reply.writeHead(200, { 'content-type': 'application/xml' })
    return pour(reply, () => ' '.repeat(65536))
  }),
  'empty pages with ever-new tokens': on(['list'], ({ reply, count }) => { sendXml(reply, 200, listPage([], `token-${count}`)) }),
  'pages of strangers without an end': on(['list'], ({ reply, key, count }) => { sendXml(reply, 200, listPage([listEntry(`${key}Stranger ${hex(count)}`, 1)], `token-${count}`)) }),
  'pages of ever-new names': on(['list'], ({ reply, key, count }) => {
    const shard = key.startsWith('packs/') ? key.slice(6, 8).padEnd(2, 'a') : undefined
    const names = Array.from({ length: 1000 }, (_, at) => `${shard === undefined ? `${key}aa` : `packs/${shard}/${shard}`}${hex(count * 1000 + at)}`)
    sendXml(reply, 200, listPage(names.map((name) => listEntry(name, 5000)), `token-${count}`))
  }),
  'the same token again': on(['list'], ({ reply, key }) => { sendXml(reply, 200, listPage([listEntry(`${key}a`, 1)], 'token')) }),
  'the same page again': on(['list'], ({ reply, key, count }) => { sendXml(reply, 200, listPage([listEntry(`${key}a`, 1)], `token-${count}`)) }),
  'a list without order': on(['list'], ({ reply, key }) => { sendXml(reply, 200, listPage([listEntry(`${key}b`, 1), listEntry(`${key}a`, 1)])) }),
  'names that were not asked for': on(['list'], ({ reply }) => { sendXml(reply, 200, listPage([listEntry('elsewhere/a', 1)])) }),
  'a list that says it goes on and not where': on(['list'], ({ reply }) => { sendXml(reply, 200, '<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>') }),
  'sizes too small': on(['list'], ({ reply, key, objects }) => { sendXml(reply, 200, listPage(namesOf(objects, key).map((name) => listEntry(name, 1)))) }),
  'sizes too large': on(['list'], ({ reply, key, objects }) => { sendXml(reply, 200, listPage(namesOf(objects, key).map((name) => listEntry(name, 2 ** 50)))) }),
  'negative sizes': on(['list'], ({ reply, key, objects }) => { sendXml(reply, 200, listPage(namesOf(objects, key).map((name) => listEntry(name, -5)))) }),
  'a bomb of entities': on(['list'], ({ reply }) => {
    const entities = Array.from({ length: 20 }, (_, at) => `<!ENTITY e${at + 1} "${`&e${at};`.repeat(20)}">`).join('')
    sendXml(reply, 200, `<!DOCTYPE x [<!ENTITY e0 "lol">${entities}]><ListBucketResult><Name>&e20;</Name></ListBucketResult>`)
  }),
  'a bomb of nested elements': on(['list'], ({ reply }) => { sendXml(reply, 200, '<a>'.repeat(2_000_000)) }),
  'a bomb of empty elements': on(['list'], ({ reply }) => { sendXml(reply, 200, `<a>${'<b/>'.repeat(1_900_000)}</a>`) }),
  'a name of seven megabytes': on(['list'], ({ reply, key }) => { sendXml(reply, 200, listPage([listEntry(`${key}${'a'.repeat(7_000_000)}`, 1)])) }),
  'a bomb of gzip': on(['list'], ({ reply }) => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024))
    reply.writeHead(200, { 'content-type': 'application/xml', 'content-encoding': 'gzip', 'content-length': bomb.length }).end(bomb)
  }),
  'half a list': on(['list'], ({ reply }) => { reply.writeHead(200, { 'content-type': 'application/xml' }).end('<ListBucketResult><Contents><Key>a') }),
  'JSON for a list': on(['list'], ({ reply }) => { reply.writeHead(200, { 'content-type': 'application/json' }).end('{"items":[]}') }),
  // Objects
  'a page instead of objects': on(['get', 'head'], html),
  'a body longer than it says': onObject(({ reply }, { status, bytes, headers }) => {
    reply.socket?.end(`HTTP/1.1 ${status} OK\r\n${headerText(headers)}\r\n${bytes.toString('latin1')}${'x'.repeat(100_000)}`, 'latin1')
  }),
  'an endless body without a length': onObject(({ reply }, { status, headers }) => {
    const { 'content-length': _, ...others } = headers
    reply.writeHead(status, others)
    return pour(reply, () => randomBytes(65536))
  }),
  'a length larger than the body': onObject(({ reply }, { status, bytes, headers }) => { reply.writeHead(status, { ...headers, 'content-length': bytes.length + 1000 }).end(bytes) }),
  'a length of petabytes': on(['get', 'head'], ({ reply, socket }) => {
    reply.writeHead(200, { 'content-length': String(2 ** 50), 'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT' }).flushHeaders()
    return pour(socket, () => Buffer.alloc(65536))
  }),
  'an object cut in the middle': onObject(({ reply }, { status, bytes, headers }) => {
    reply.writeHead(status, headers).write(bytes.subarray(0, bytes.length >> 1))
    setImmediate(() => { reply.socket?.resetAndDestroy() })
  }),
  'the whole object for a part of it': onObject(({ key, objects, reply }) => {
    const whole = objects.get(key) ?? Buffer.alloc(0)
    reply.writeHead(200, { 'content-length': whole.length + 1 }).end(Buffer.concat([whole, Buffer.alloc(1)]))
  }),
  'another part than was asked for': onObject(({ reply }, { status, bytes, headers }) => { reply.writeHead(status, { ...headers, 'content-range': 'bytes 7-9/1000000' }).end(bytes) }),
  'other bytes each time': onObject(({ reply }, { status, bytes, headers }) => { reply.writeHead(status, headers).end(randomBytes(bytes.length)) }),
  'an empty object': onObject(({ reply }, { status, headers }) => { reply.writeHead(status, { ...headers, 'content-length': 0 }).end() }),
  // Time
  'no answer at all': () => undefined,
  'no answer to a put': on(['put'], ({ request }) => { request.resume() }),
  'a put that is read at one byte in five seconds': on(['put'], async ({ request, socket }) => {
    request.pause()
    while (!socket.destroyed) await new Promise((resolve) => { setTimeout(() => { resolve(request.read(1)) }, 5000).unref() })
  }),
  'headers at one byte in five seconds': ({ socket }) => drip(socket, Buffer.from(`HTTP/1.1 200 OK\r\n${'x-slow: y\r\n'.repeat(100)}`)),
  'objects at one byte in five seconds': onObject(({ reply }, { status, bytes, headers }) => {
    reply.writeHead(status, headers).flushHeaders()
    return drip(reply, bytes)
  }),
  'lists at one byte in five seconds': on(['list'], ({ reply }) => {
    reply.writeHead(200, { 'content-type': 'application/xml' }).flushHeaders()
    return drip(reply, Buffer.from(listHead))
  }),
  'errors at one byte in five seconds': ({ reply, request }) => {
    request.resume()
    reply.writeHead(403, { 'content-type': 'application/xml' }).flushHeaders()
    return drip(reply, Buffer.from('<Error><Code>AccessDenied</Code></Error>'))
  },
  'headers without an end': ({ socket }) => {
    socket.write('HTTP/1.1 200 OK\r\n')
    return pour(socket, (count) => `x-${count}: ${'y'.repeat(1000)}\r\n`)
  },
  'one header line without an end': ({ socket }) => {
    socket.write('HTTP/1.1 200 OK\r\nx-long: ')
    return pour(socket, () => 'y'.repeat(65536))
  },
  'interim replies without an end': ({ socket }) => pour(socket, () => 'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n'),
  'a reset at once': ({ socket }) => { socket.resetAndDestroy() },
  'a close at once': ({ socket }) => { socket.end() },
  // Refusals
  'redirects in a circle': ({ request, reply }) => {
    request.resume()
    reply.writeHead(302, { location: `http://${request.headers.host}${request.url}`, 'content-length': 0 }).end()
  },
  'a redirect to a file': ({ request, reply }) => {
    request.resume()
    reply.writeHead(307, { location: 'file:///etc/passwd', 'content-length': 0 }).end()
  },
  'try again in a year': always(503, 'SlowDown', { 'retry-after': '31536000' }),
  'try again in the year 9999': always(503, 'ServiceUnavailable', { 'retry-after': 'Fri, 31 Dec 9999 23:59:59 GMT' }),
  'a fault of its own for ever': always(500, 'InternalError'),
  'an endless error': ({ request, reply }) => {
    request.resume()
    if (request.method === 'HEAD') return sendError(reply, 400, 'Odd')
    reply.writeHead(400, { 'content-type': 'application/xml' }).write('<Error><Code>Odd</Code><Message>')
    return pour(reply, () => 'very '.repeat(20_000))
  },
  'an error of six megabytes': always(400, 'Odd', {}, `<Message>${'very '.repeat(1_200_000)}</Message>`),
  'escapes for the terminal': always(400, escapes, {}, `<Message>${escapes}</Message>`),
  'escapes for the terminal in a header': ({ socket, request }) => {
    request.resume()
    socket.end('HTTP/1.1 302 Found\r\nserver: x\u009b2J\u00c2\u009b31m\r\nlocation: http://a.example/\r\ncontent-length: 0\r\n\r\n', 'latin1')
  },
  // Acknowledgements
  'puts that are acknowledged and not stored': on(['put'], ({ request, reply }) => {
    request.resume().on('end', () => { reply.writeHead(200, { etag: '"0"', 'content-length': 0 }).end() })
  }),
  'a wrong ETag': on(['put'], (exchange) => {
    const { reply } = exchange
    const writeHead = reply.writeHead.bind(reply)
    reply.writeHead = ((status: number, headers: Record<string, string>) => writeHead(status, { ...headers, etag: '"00000000000000000000000000000000"' })) as typeof reply.writeHead
    exchange.honest()
  }),
  'a page for every request': html,
  // Not S3, not even HTTP
  'HTTP/1.0 without sense': raw('HTTP/1.0 999\r\n\u0000\u0001\u0002 nonsense'),
  'HTTP/0.9': raw('<html>hello</html>'),
  'an empty 200': raw('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'),
  'two lengths': raw('HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!'),
} satisfies Readonly<Record<string, Lie>>

/** What other services say first. */
export const banners = {
  'an SSH server': Buffer.from('SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n'),
  'a mail server': Buffer.from('220 mail.example.org ESMTP Postfix\r\n'),
  'a TLS server': Buffer.from([0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46]),
} satisfies Readonly<Record<string, Buffer>>

function namesOf(objects: ReadonlyMap<string, Buffer>, prefix: string): string[] {
  return [...objects.keys()].filter((name) => name.startsWith(prefix)).sort()
}

function headerText(headers: Readonly<Record<string, string>>): string {
  return Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('')
}

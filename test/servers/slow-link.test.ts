import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { SlowLink } from './slow-link.ts'

/** Sends back all that it gets. */
async function echoServer() {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.pipe(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { target: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, [Symbol.dispose]: () => { server.close() } }
}

/** @returns digest of what came back, and when the first and the last byte did, in ms since the begin. */
async function echo(link: SlowLink, bytes: Buffer) {
  const { hostname, port } = new URL(link.endpoint)
  const beganMs = performance.now()
  const socket = connect(Number(port), hostname)
  const hash = createHash('sha256')
  let firstMs: number | undefined
  socket.on('data', (chunk) => {
    firstMs ??= performance.now() - beganMs
    hash.update(chunk)
  })
  socket.end(bytes)
  await once(socket, 'end')
  return { digest: hash.digest('hex'), firstMs: firstMs ?? 0, lastMs: performance.now() - beganMs }
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

test('bytes come through whole and in order, no sooner than the way takes, and no faster than the rate of each connection', async () => {
  using server = await echoServer()
  await using link = await SlowLink.start(server.target, { roundTripMs: 100, bytesPerSecondPerConnection: 2_000_000 })
  const bytes = Buffer.alloc(1_000_000, 'slow link ')
  const runs = await Promise.all([echo(link, bytes), echo(link, bytes)])
  for (const { digest, firstMs, lastMs } of runs) {
    expect(digest).toBe(sha256(bytes))
    // Connecting and the way there and back: a round trip each.
    expect(firstMs).toBeGreaterThan(195)
    expect(lastMs).toBeGreaterThan(195 + 450)
    expect(lastMs).toBeLessThan(195 + 500 + 1500)
  }
  await expect.poll(() => link.readings.at(-1)).toMatchObject({ up: 2_000_000, down: 2_000_000 })
})

test('all connections share the rate of the link, from the moment that it changes', async () => {
  using server = await echoServer()
  await using link = await SlowLink.start(server.target, { roundTripMs: 0, bytesPerSecond: 1_000 })
  link.reshape({ roundTripMs: 0, bytesPerSecond: 2_000_000 })
  const bytes = Buffer.alloc(500_000, 7)
  const runs = await Promise.all([echo(link, bytes), echo(link, bytes)])
  for (const { digest } of runs) expect(digest).toBe(sha256(bytes))
  const lastMs = Math.max(...runs.map((run) => run.lastMs))
  expect(lastMs).toBeGreaterThan(450)
  expect(lastMs).toBeLessThan(2500)
})

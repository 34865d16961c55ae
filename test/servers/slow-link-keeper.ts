import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { LinkShape } from './slow-link.ts'

/**
 * `slow-link-keeper.ts TARGET SHAPE` is the process behind SlowLink: a TCP proxy that delays and paces. Ends with its parent.
 * Pacing comes first and the delay after it, as on a real line: the narrow part, then the way.
 */
const [target = '', shapeText = '{}'] = process.argv.slice(2)
let shape = JSON.parse(shapeText) as LinkShape
const tickMs = 4
const reportMs = 100
/** Read ahead of the pacing, for each direction of a connection: a tick that comes late loses nothing. */
const aheadBytes = 512 * 1024
const sliceBytes = 16 * 1024
const mostUnsentBytes = 1024 * 1024
/** Longer absences of the processor than this are not made up for. */
const mostCreditMs = 100

const moved = { up: 0, down: 0 }
const ways = new Set<Way>()
const total = { up: 0, down: 0 }

/** One direction of one connection. */
class Way {
  readonly direction: 'up' | 'down'
  readonly #from: Socket
  readonly #to: Socket
  readonly #waiting: Buffer[] = []
  #waitingBytes = 0
  readonly #flying: { readonly atMs: number; readonly bytes: Buffer | 'end' }[] = []
  #credit = 0
  #ended = false
  #beganMs: number

  constructor(direction: 'up' | 'down', from: Socket, to: Socket, beganMs: number) {
    this.direction = direction
    this.#from = from
    this.#to = to
    this.#beganMs = beganMs
    from.on('data', (bytes) => {
      this.#waiting.push(bytes)
      this.#waitingBytes += bytes.length
      if (this.#waitingBytes >= aheadBytes) from.pause()
    })
    from.on('end', () => { this.#ended = true })
  }

  earn(passedMs: number): void {
    const rate = shape.bytesPerSecondPerConnection
    if (rate === undefined) this.#credit = Infinity
    else this.#credit = (this.#credit === Infinity ? 0 : this.#credit) + (rate * passedMs) / 1000
  }

  /** Lets at most a slice through. @returns whether it did. */
  pass(nowMs: number): boolean {
    const head = this.#waiting[0]
    if (nowMs < this.#beganMs || this.#to.writableLength > mostUnsentBytes) return false
    if (!head) {
      if (this.#ended) {
        this.#ended = false
        this.#flying.push({ atMs: nowMs + shape.roundTripMs / 2, bytes: 'end' })
      }
      return false
    }
    const most = Math.floor(Math.min(this.#credit, total[this.direction], sliceBytes))
    if (most < 1) return false
    const bytes = head.subarray(0, most)
    if (bytes.length === head.length) this.#waiting.shift()
    else this.#waiting[0] = head.subarray(most)
    this.#waitingBytes -= bytes.length
    this.#credit -= bytes.length
    total[this.direction] -= bytes.length
    moved[this.direction] += bytes.length
    this.#flying.push({ atMs: nowMs + shape.roundTripMs / 2, bytes })
    if (this.#waitingBytes < aheadBytes && this.#from.isPaused()) this.#from.resume()
    return true
  }

  /** An idle way saves nothing up. */
  settle(passedMs: number): void {
    if (this.#waiting.length === 0) this.#credit = Math.min(this.#credit, ((shape.bytesPerSecondPerConnection ?? 0) * passedMs) / 1000)
  }

  deliver(nowMs: number): void {
    for (let head = this.#flying[0]; head && head.atMs <= nowMs; head = this.#flying[0]) {
      this.#flying.shift()
      if (head.bytes === 'end') this.#to.end()
      else if (!this.#to.destroyed) this.#to.write(head.bytes)
    }
  }
}

const { hostname, port } = new URL(target)
const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
  const upstream = connect({ host: hostname, port: Number(port), allowHalfOpen: true, noDelay: true })
  const beganMs = performance.now() + shape.roundTripMs
  const both = [new Way('up', client, upstream, beganMs), new Way('down', upstream, client, 0)]
  for (const way of both) ways.add(way)
  const close = (): void => {
    for (const way of both) ways.delete(way)
    client.destroy()
    upstream.destroy()
  }
  for (const socket of [client, upstream]) {
    socket.on('error', close)
    socket.on('close', () => { if (client.destroyed && upstream.destroyed) close() })
  }
  client.on('close', (hadError) => { if (hadError || !client.readableEnded) close() })
})

let lastMs = performance.now()
function tick(): void {
  const nowMs = performance.now()
  const passedMs = Math.min(mostCreditMs, nowMs - lastMs)
  lastMs = nowMs
  const whole = shape.bytesPerSecond
  for (const direction of ['up', 'down'] as const) {
    // What the tick before left over was not wanted, or is less than a slice.
    total[direction] = whole === undefined ? Infinity : Math.min(total[direction] === Infinity ? 0 : total[direction], sliceBytes) + (whole * passedMs) / 1000
  }
  for (const way of ways) way.earn(passedMs)
  for (let going = [...ways]; going.length > 0; ) going = going.filter((way) => way.pass(nowMs))
  for (const way of ways) {
    way.settle(passedMs)
    way.deliver(nowMs)
  }
  // Whoever was first is last the next time.
  const [first] = ways
  if (first) {
    ways.delete(first)
    ways.add(first)
  }
}

server.listen(0, '127.0.0.1', () => {
  process.send?.({ port: (server.address() as AddressInfo).port })
  setInterval(tick, tickMs)
  setInterval(() => {
    process.send?.({ atMs: performance.timeOrigin + performance.now(), ...moved, connections: ways.size / 2 })
  }, reportMs)
})
process.on('message', (next) => { shape = next as LinkShape })
process.on('disconnect', () => process.exit(0))

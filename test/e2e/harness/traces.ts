import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RunningApp } from './app.ts'
import { processTree } from './engines.ts'

/** How a secret may stand in what a program leaves behind: as it is, escaped, or in another alphabet, also in the middle of something else. */
function tracesOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret)
  const hex = bytes.toString('hex')
  const uri = encodeURIComponent(secret)
  const base64 = [0, 1, 2].map((before) => base64Behind(before, bytes))
  const base64url = base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'))
  const plain = [secret, JSON.stringify(secret).slice(1, -1)]
  // Files are read byte by byte.
  const bytewise = plain.map((text) => Buffer.from(text).toString('latin1'))
  return [...plain, ...bytewise, uri, uri.replaceAll('%20', '+'), hex, hex.toUpperCase(), ...base64, ...base64url, Buffer.from(secret, 'utf16le').toString('latin1')]
}

/** The digits of base64 that the bytes alone decide when so many others stand before them. */
function base64Behind(before: number, bytes: Uint8Array): string {
  const digits = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64')
  return digits.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6))
}

/** Names of the texts in which a secret stands in any way. */
export function findTraces(secret: string, texts: ReadonlyMap<string, string>): readonly string[] {
  const traces = tracesOf(secret)
  return [...texts].filter(([, text]) => traces.some((trace) => text.includes(trace))).map(([name]) => name)
}

/** Whatever lies below a folder, by its path. */
export function textsBelow(folder: string): ReadonlyMap<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return new Map(files.map((path): [string, string] => [path, readFileSync(path, 'latin1')]))
}

/** Looks again and again at the app's processes, which come and go, and listens to what the app prints. */
export class Onlooker implements Disposable {
  readonly #seen = new Set<string>()
  readonly #timer: NodeJS.Timeout
  #printed = ''

  constructor(app: RunningApp) {
    // Playwright forgets the process once the app has closed.
    const { pid, stdout, stderr } = app.electron.process()
    for (const stream of [stdout, stderr]) stream?.on('data', (text: Buffer) => { this.#printed += text.toString('latin1') })
    const look = (): void => {
      for (const { commandLine, environment } of processTree(pid)) this.#seen.add([commandLine.join(' '), ...environment].join('\n'))
    }
    this.#timer = setInterval(look, 50)
  }

  get texts(): ReadonlyMap<string, string> {
    return new Map([['the processes', [...this.#seen].join('\n')], ['what the app printed', this.#printed]])
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }
}

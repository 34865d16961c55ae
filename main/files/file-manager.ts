import { spawn } from 'node:child_process'

/** A door on this computer (engine/protocol/messages.ts). */
export interface DoorAddress {
  readonly port: number
  readonly user: string
  readonly password: string
}

/** Mounting asks the door a few things, which may wait for a storage. */
const mountMs = 40_000
const leaveMs = 10_000

/** The system's file manager. Addresses that it gets are made here, of a port and nothing else; they hold no password. */
export class FileManager {
  readonly #open: (address: string) => Promise<void>
  readonly #log: (level: 'info', message: string) => void
  readonly #platform: NodeJS.Platform

  /** @param open gives an address to the program that the system has for its kind; rejects where it has none */
  constructor(open: (address: string) => Promise<void>, log: (level: 'info', message: string) => void, platform = process.platform) {
    this.#open = open
    this.#log = log
    this.#platform = platform
  }

  /** As somebody types it. */
  addressOf({ port, user }: Pick<DoorAddress, 'port' | 'user'>): string {
    return this.#platform === 'linux' ? `dav://${user}@127.0.0.1:${port}/` : `http://127.0.0.1:${port}/`
  }

  /** Mounts it and shows it. Repeating is safe. @returns false where this system has nothing that does. Never rejects. */
  async show(door: DoorAddress): Promise<boolean> {
    if (this.#platform !== 'linux') return false
    const address = this.addressOf(door)
    // The password goes through a pipe: what a program is started with can be seen by every user of the machine.
    const failed = await gio(['mount', address], `${door.password}\n`, mountMs)
    if (failed !== undefined && !/already mounted/i.test(failed)) {
      this.#log('info', `the file manager could not be told of ${address}: ${failed}`)
      return false
    }
    return this.#open(address).then(() => true, () => false)
  }

  /** Takes it off the file manager's list, where it is on it. Never rejects. */
  async leave(door: Pick<DoorAddress, 'port' | 'user'>): Promise<void> {
    if (this.#platform === 'linux') await gio(['mount', '--unmount', this.addressOf(door)], '', leaveMs)
  }
}

/** GNOME's program for mounts, which Xfce, MATE, Cinnamon and others have too. @returns what went wrong, in its own words */
function gio(words: readonly string[], input: string, mostMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn('gio', words, { stdio: ['pipe', 'ignore', 'pipe'], timeout: mostMs, killSignal: 'SIGKILL', env: { ...process.env, LC_ALL: 'C.UTF-8' } })
    let said = ''
    child.stderr.on('data', (data: Buffer) => { said = (said + data.toString()).slice(-500) })
    child.on('error', (error) => { resolve(error.message) })
    child.on('close', (code) => { resolve(code === 0 ? undefined : said.trim() || 'it did not say why') })
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
  })
}

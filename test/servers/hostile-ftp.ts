import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** What it does to those who come; without any of it, a small server of one folder whose files are in memory. */
export interface FtpHostility {
  /** Says this instead of welcome, and nothing else; empty: nothing at all. */
  readonly greeting?: string
  /** Answers a command (its first word) with this line; `hang`: not at all; `hang up`: ends the connection. */
  readonly answers?: Readonly<Record<string, string>>
  /** What a list holds, line by line; `endless`: no end. */
  readonly list?: string
  /** Keeps so many bytes of each file that comes, and says that all is well. */
  readonly keepsBytes?: number
  /** Sends so many bytes less of a file than are there, or more, and says that all is well. */
  readonly sendsBytes?: number
  /** Answers without an end. */
  readonly endless?: boolean
}

/** An FTP server in this process that does what no real one can be made to do (RFC 959, RFC 2428). */
export class HostileFtp implements AsyncDisposable {
  readonly files = new Map<string, Buffer>()
  readonly commands: string[] = []
  hostility: FtpHostility
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(hostility: FtpHostility) {
    this.hostility = hostility
    this.#server = createServer((socket) => { this.#serve(socket) })
  }

  static async start(hostility: FtpHostility = {}): Promise<HostileFtp> {
    const server = new HostileFtp(hostility)
    server.#server.listen(0, '127.0.0.1')
    await once(server.#server, 'listening')
    return server
  }

  /** Of a repository in its one folder. */
  get address(): string {
    return `ftp://anna@127.0.0.1:${(this.#server.address() as AddressInfo).port}/data/repository`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => undefined).on('close', () => { this.#sockets.delete(socket) })
  }

  #serve(socket: Socket): void {
    this.#keep(socket)
    const { greeting } = this.hostility
    if (greeting !== undefined) {
      if (greeting !== '') socket.end(`${greeting}\r\n`)
      return
    }
    const session = new Session(this, socket, (data) => { this.#keep(data) })
    socket.write('220 welcome\r\n')
    let text = ''
    socket.on('data', (bytes) => {
      text += bytes.toString()
      for (let end = text.indexOf('\r\n'); end >= 0; end = text.indexOf('\r\n')) {
        const line = text.slice(0, end)
        text = text.slice(end + 2)
        this.commands.push(line)
        session.command(line)
      }
    })
  }
}

class Session {
  readonly #server: HostileFtp
  readonly #socket: Socket
  readonly #onData: (socket: Socket) => void
  #data: Promise<Socket> | undefined
  #offset = 0
  #renamed = ''

  constructor(server: HostileFtp, socket: Socket, onData: (socket: Socket) => void) {
    this.#server = server
    this.#socket = socket
    this.#onData = onData
  }

  command(line: string): void {
    const [word = '', argument = ''] = /^(\S+) ?(.*)$/s.exec(line)?.slice(1) ?? []
    const { hostility, files } = this.#server
    const answer = hostility.answers?.[word.toUpperCase()]
    if (answer === 'hang') return
    if (answer === 'hang up') {
      this.#socket.destroy()
      return
    }
    if (hostility.endless === true && word !== 'USER') {
      this.#flood('220-and more\r\n')
      return
    }
    if (answer !== undefined) {
      this.#say(answer)
      return
    }
    switch (word.toUpperCase()) {
      case 'USER': this.#say('331 password, please'); break
      case 'PASS': this.#say('230 in'); break
      case 'FEAT': this.#say('211-features\r\n MLSD\r\n MLST type*;size*;modify*;\r\n SIZE\r\n REST STREAM\r\n UTF8\r\n211 end'); break
      case 'PWD': this.#say('257 "/" is here'); break
      case 'EPSV': this.#listen(); break
      case 'REST':
        this.#offset = Number(argument)
        this.#say('350 from there')
        break
      case 'SIZE': {
        const file = files.get(argument)
        this.#say(file ? `213 ${file.length}` : '550 No such file')
        break
      }
      case 'MDTM': this.#say('213 20260102030405'); break
      case 'RNFR':
        this.#renamed = argument
        this.#say(files.has(argument) ? '350 and to?' : '550 No such file')
        break
      case 'RNTO': {
        files.set(argument, files.get(this.#renamed) ?? Buffer.alloc(0))
        files.delete(this.#renamed)
        this.#say('250 done')
        break
      }
      case 'DELE': this.#say(files.delete(argument) ? '250 gone' : '550 No such file'); break
      case 'MLSD': void this.#send(hostility.list ?? ''); break
      case 'RETR': void this.#retrieve(argument); break
      case 'STOR': void this.#store(argument); break
      default: this.#say('200 fine')
    }
  }

  #say(line: string): void {
    this.#socket.write(`${line}\r\n`)
  }

  #flood(line: string): void {
    const more = Buffer.from(line.repeat(1000))
    const on = (): void => { if (!this.#socket.destroyed) this.#socket.write(more, on) }
    on()
  }

  #listen(): void {
    const listener = createServer()
    this.#data = once(listener, 'connection').then(([socket]) => {
      listener.close()
      this.#onData(socket as Socket)
      return socket as Socket
    })
    listener.listen(0, '127.0.0.1', () => { this.#say(`229 here (|||${(listener.address() as AddressInfo).port}|)`) })
  }

  async #send(text: string): Promise<void> {
    const data = await this.#data
    this.#say('150 here it comes')
    if (text !== 'endless') {
      data?.end(text)
      this.#say('226 done')
      return
    }
    let count = 0
    const on = (): void => { if (data && !data.destroyed) data.write(Array.from({ length: 2000 }, () => `type=file;size=1;modify=20260102030405; ${count++}\r\n`).join(''), on) }
    on()
  }

  async #retrieve(path: string): Promise<void> {
    const file = this.#server.files.get(path)
    if (!file) {
      this.#say('550 No such file')
      return
    }
    const data = await this.#data
    this.#say('150 here it comes')
    const { sendsBytes = 0 } = this.#server.hostility
    const end = file.length + sendsBytes
    data?.end(Buffer.concat([file, Buffer.alloc(Math.max(0, sendsBytes))]).subarray(this.#offset, end))
    this.#offset = 0
    this.#say('226 done')
  }

  async #store(path: string): Promise<void> {
    const data = await this.#data
    this.#say('150 go on')
    const chunks: Buffer[] = []
    for await (const bytes of data ?? []) chunks.push(bytes as Buffer)
    const whole = Buffer.concat(chunks)
    this.#server.files.set(path, whole.subarray(0, this.#server.hostility.keepsBytes ?? whole.length))
    this.#say('226 all is well')
  }
}

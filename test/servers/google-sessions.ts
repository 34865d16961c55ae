import { randomBytes } from 'node:crypto'
import { Refusal, type Answer, type Exchange } from './google.ts'

const step = 256 * 1024
const weekMs = 7 * 24 * 3600_000

interface Session {
  /** Announced by X-Upload-Content-Length. */
  readonly size: number | undefined
  readonly begunMs: number
  readonly finish: (content: Buffer) => Promise<Answer> | Answer
  readonly kept: Buffer[]
  keptBytes: number
  done?: Answer
}

/**
 * Resumable uploads as Drive and Cloud Storage have them: https://developers.google.com/workspace/drive/api/guides/manage-uploads#resumable,
 * https://cloud.google.com/storage/docs/resumable-uploads. Bytes are kept in steps of 256 KiB as they come, also of a request that breaks
 * off; what is sent must go on exactly where they end; a session lives a week, and is answered 404 (Drive) or 410 (Cloud Storage) then.
 */
export class GoogleSessions {
  readonly #open = new Map<string, Session>()
  readonly #goneStatus: 404 | 410
  /** So many bytes of a request are kept at most, and 308 tells of them. */
  mostKept = Infinity
  now: () => number = Date.now

  constructor(goneStatus: 404 | 410) {
    this.#goneStatus = goneStatus
  }

  get count(): number {
    return [...this.#open.values()].filter(({ done }) => !done).length
  }

  /** As if a week had gone by. */
  expire(): void {
    this.#open.clear()
  }

  /** Its address is where the request came by. @param at path and query of it, to which its id is added */
  begin(at: string, exchange: Exchange, finish: Session['finish']): Answer {
    const size = exchange.request.headers['x-upload-content-length']
    const id = randomBytes(24).toString('base64url')
    this.#open.set(id, { size: size === undefined ? undefined : Number(size), begunMs: this.now(), finish, kept: [], keptBytes: 0 })
    return { status: 200, headers: { location: `http://${exchange.request.headers.host ?? ''}${at}&upload_id=${id}`, 'x-guploader-uploadid': id } }
  }

  async serve(exchange: Exchange): Promise<Answer> {
    const id = exchange.query('upload_id') ?? ''
    const session = this.#open.get(id)
    if (!session || this.now() - session.begunMs > weekMs) throw this.#gone()
    if (exchange.method === 'DELETE') {
      this.#open.delete(id)
      // https://cloud.google.com/storage/docs/performing-resumable-uploads#cancel-upload
      return { status: 499 }
    }
    if (exchange.method !== 'PUT') throw new Refusal(405, 'httpMethodNotAllowed')
    if (session.done) return session.done
    const range = /^bytes (\*|(\d+)-(\d+))\/(\d+)$/.exec(exchange.request.headers['content-range'] ?? '')
    if (!range) throw new Refusal(400, 'invalidContentRange', 'Failed to parse Content-Range header.')
    const total = Number(range[4])
    if (session.size !== undefined && session.size !== total) throw new Refusal(400, 'badRequest', 'The total of the Content-Range is not the announced length.')
    if (range[1] !== '*') await this.#take(session, exchange, Number(range[2]), Number(range[3]), total)
    if (session.keptBytes < total) return incomplete(session)
    try {
      session.done = await session.finish(Buffer.concat(session.kept))
    } catch (error) {
      this.#open.delete(id)
      throw error
    }
    return session.done
  }

  async #take(session: Session, exchange: Exchange, first: number, last: number, total: number): Promise<void> {
    const length = last - first + 1
    if (last >= total || exchange.request.headers['content-length'] !== String(length)) throw new Refusal(400, 'badRequest', 'Content-Length and Content-Range differ.')
    if (first !== session.keptBytes) throw new Refusal(400, 'badRequest', 'Bytes do not begin where those that are kept end.')
    if (last + 1 !== total && length % step !== 0) throw new Refusal(400, 'badRequest', 'A chunk that is not the last has to be a multiple of 256 KiB.')
    const most = Math.floor(this.mostKept / step) * step
    let pending: Buffer[] = []
    let pendingBytes = 0
    let taken = 0
    const keep = (bytes: number): void => {
      const all = Buffer.concat(pending)
      session.kept.push(Buffer.from(all.subarray(0, bytes)))
      session.keptBytes += bytes
      taken += bytes
      pending = [all.subarray(bytes)]
      pendingBytes -= bytes
    }
    for await (const chunk of exchange.chunks()) {
      pending.push(chunk)
      pendingBytes += chunk.length
      const whole = Math.min(Math.floor(pendingBytes / step) * step, most - taken)
      if (whole > 0) keep(whole)
    }
    if (first + taken + pendingBytes === total && taken + pendingBytes <= most) keep(pendingBytes)
  }

  #gone(): Refusal {
    return this.#goneStatus === 404 ? new Refusal(404, 'notFound', 'Not Found') : new Refusal(410, 'gone', 'Gone')
  }
}

function incomplete({ keptBytes }: Session): Answer {
  return { status: 308, headers: keptBytes === 0 ? {} : { range: `bytes=0-${keptBytes - 1}` } }
}

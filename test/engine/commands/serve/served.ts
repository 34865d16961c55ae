import { request } from 'node:http'
import { serveFiles, type OpenDoor } from '../../../../engine/commands/serve.ts'
import type { ServeJob } from '../../../../engine/protocol/job.ts'
import type { RunSummary } from '../../../../engine/protocol/progress.ts'
import type { World } from '../../../fixtures/world.ts'

interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
  /** The whole answer came, as long as it said. */
  readonly whole: boolean
}

interface Asking {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Instead of the right one. */
  readonly password?: string
}

/** The files of a world's repository behind a door of their own. */
export interface Served extends AsyncDisposable {
  readonly door: OpenDoor
  /** Ends with it. */
  readonly ended: Promise<RunSummary>
  /** @param target goes out as it is given */
  ask(method: string, target: string, asking?: Asking): Promise<Reply>
  /** Hrefs of a folder's answer, its own first. */
  list(target: string): Promise<string[]>
}

export async function serveWorld(world: World, options: Partial<ServeJob> = {}): Promise<Served> {
  const stop = new AbortController()
  const opened = Promise.withResolvers<OpenDoor>()
  const ended = serveFiles({ ...world.common, type: 'serve', snapshots: [], port: 0, ...options }, world.context(stop.signal), opened.resolve)
  ended.catch(opened.reject)
  const door = await opened.promise
  const ask: Served['ask'] = (method, target, asking) => askAt(door, method, target, asking)
  return {
    door, ended, ask,
    list: async (target) => {
      const { status, body } = await ask('PROPFIND', target, { headers: { depth: '1' } })
      if (status !== 207) throw new Error(`${target} gave ${status}`)
      return [...body.toString().matchAll(/<D:href>([^<]*)<\/D:href>/g)].map(([, href]) => href ?? '')
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort()
      await ended
    },
  }
}

function askAt({ port, user, password: right }: OpenDoor, method: string, path: string, { headers = {}, body, password = right }: Asking = {}): Promise<Reply> {
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, method, path, agent: false, headers: { authorization, ...headers } }, (reply) => {
      const chunks: Buffer[] = []
      const end = (): void => { resolve({ status: reply.statusCode ?? 0, headers: reply.headers, body: Buffer.concat(chunks), whole: reply.complete }) }
      reply.on('data', (chunk: Buffer) => { chunks.push(chunk) }).on('error', () => undefined).on('close', end)
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

import { systemClock } from '../base/clock.ts'
import { HoldfastError } from '../base/errors.ts'
import { HttpClient, type HttpReply } from '../backend/http/client.ts'
import { causeError, networkError, notTheStorage } from '../backend/http/failure.ts'
import { standardLimits, type HttpLimits } from '../backend/http/limits.ts'
import { readSmall } from '../backend/http/reply.ts'
import { Responsiveness, Watch } from '../backend/http/watch.ts'

/** A token is a few kilobytes; nobody waits longer than this for one. Redirects are never followed (HttpClient). */
const limits: HttpLimits = { ...standardLimits, smallReplyBytes: 64 * 1024, refusalBytes: 64 * 1024, standstillMs: 20_000, smallExchangeMs: 30_000 }

export interface SmallRequest {
  readonly method: 'GET' | 'POST'
  readonly address: string
  readonly form?: Readonly<Record<string, string>>
  readonly accessToken?: string
}

export interface SmallReply {
  readonly status: number
  readonly headers: HttpReply['headers']
  readonly text: string
}

/** One exchange with a service, within its limits. Errors: offline, unavailable, denied (certificate), aborted. */
export async function exchange(what: string, { method, address, form, accessToken }: SmallRequest, signal: AbortSignal): Promise<SmallReply> {
  using client = new HttpClient(1)
  const { protocol, hostname, port, pathname, search } = new URL(address)
  const body = form && Buffer.from(new URLSearchParams(form).toString())
  const headers = {
    accept: 'application/json',
    'content-length': String(body?.length ?? 0),
    ...(body && { 'content-type': 'application/x-www-form-urlencoded' }),
    ...(accessToken !== undefined && { authorization: `Bearer ${accessToken}` }),
  }
  try {
    return await Watch.run({ kind: 'small', clock: systemClock, limits, host: new Responsiveness() }, signal, async (watch) => {
      const place = { protocol: protocol === 'http:' ? 'http:' : 'https:', hostname, path: pathname + search, ...(port !== '' && { port: Number(port) }) } as const
      const reply = await client.send({ ...place, method, headers, ...(body && { body }) }, watch)
      return { status: reply.status, headers: reply.headers, text: (await readSmall(reply, watch)).toString('utf8') }
    })
  } catch (error) {
    if (error instanceof HoldfastError) throw error
    throw networkError(error, what) ?? causeError(notTheStorage, [what], {}, error)
  }
}

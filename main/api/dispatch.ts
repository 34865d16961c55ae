import * as v from 'valibot'
import type { Api, Channel, Reply } from './contract.ts'
import { MainError, toWire } from './errors.ts'
import { requests, wrongField } from './schemas.ts'

type Awaitable<T> = T | Promise<T>

/** What main does for each channel. A handler throws MainError or EngineError to say what went wrong. */
export type Handlers = { readonly [C in Channel]: (...request: Parameters<Api[C]>) => Awaitable<ReturnType<Api[C]>> }

/** Gets every error that is nobody's fault but ours. */
export type OnInternal = (channel: Channel, error: unknown) => void

interface ReplyOptions {
  readonly onInternal: OnInternal
  /** Errors: `busy`, for what comes too often. */
  readonly pace: (channel: Channel) => void
}

/** One request's reply; never rejects. */
export async function reply(handlers: Handlers, channel: Channel, request: unknown, { onInternal, pace }: ReplyOptions): Promise<Reply<unknown>> {
  try {
    return { ok: true, value: await dispatch(handlers, channel, request, pace) }
  } catch (error) {
    const wire = toWire(error)
    if (wire.code === 'internal') onInternal(channel, error)
    return { ok: false, error: wire }
  }
}

function dispatch(handlers: Handlers, channel: Channel, request: unknown, pace: ReplyOptions['pace']): Awaitable<unknown> {
  const parsed = v.safeParse(requests[channel], isPlain(request) ? request : null, { abortEarly: true })
  if (!parsed.success) throw new MainError('arguments', 'The request is not valid.', { field: wrongField(parsed.issues) })
  pace(channel)
  // The schema of a channel yields exactly what its handler takes; TypeScript cannot join the two tables by a common key.
  const handle = handlers[channel] as (request: unknown) => Awaitable<unknown>
  return handle(parsed.output)
}

/** One plain object, or nothing: to valibot a list, or a view of bytes, is an object too. */
function isPlain(request: unknown): boolean {
  return request === undefined || (typeof request === 'object' && request !== null && Object.getPrototypeOf(request) === Object.prototype)
}

import { array, literal, maxLength, nullish, object, optional, picklist, pipe, regex, safeParse, string, union, unknown, type InferOutput } from 'valibot'
import type { HoldfastError } from '../../base/errors.ts'
import { parsedJson } from '../http/bearer.ts'
import type { HttpReply } from '../http/client.ts'
import { causeError, foreign, pageCause, redirectCause, retryAfterMs, type Cause } from '../http/failure.ts'

const signInAgain = 'Sign in to Box again.'
const token: Cause = { code: 'credentials', said: 'Box does not accept the sign-in any more.', advice: signInAgain }
const slower: Cause = { code: 'throttled', said: 'Box asks to go slower.' }
const full: Cause = { code: 'full', said: 'The Box account is full.', advice: 'Make room in it (its trash counts, too), or buy more.' }
const refused: Cause = { code: 'denied', said: 'Box refuses the operation.', advice: 'Look into the account at Box: the folder can be shared read-only, or the company can forbid it.' }
const busy: Cause = { code: 'unavailable', said: 'Box is working on the same file or folder.' }
const garbled: Cause = { code: 'unavailable', said: 'Box received other bytes than were sent.', advice: 'Run the command again. If it happens again, the network or memory of a machine on the way is at fault.' }
const missing: Cause = { code: 'not-found', said: 'The object does not exist.' }
const fault: Cause = { code: 'unavailable', said: 'Box reports a fault of its own.' }

/** By Box's own code, which says more than the status: https://developer.box.com/guides/api-calls/permissions-and-errors/common-errors */
const codeCauses: Readonly<Record<string, Cause>> = {
  unauthorized: token,
  insufficient_scope: { code: 'credentials', said: 'The sign-in does not allow Holdfast to keep files there.', advice: signInAgain },
  storage_limit_exceeded: full,
  account_storage_limit_exceeded: full,
  file_size_limit_exceeded: { code: 'full', said: 'The Box account takes no file this large.', advice: 'Its plan limits the size of a file.' },
  access_denied_insufficient_permissions: refused,
  access_denied_item_locked: { code: 'denied', said: 'The file is locked at Box.', advice: 'Unlock it there.' },
  item_name_in_use: { code: 'exists', said: 'The object exists already.' },
  item_name_invalid: { code: 'arguments', said: 'Box takes no folder of that name.', advice: 'Use another folder in the address.' },
  item_name_too_long: { code: 'arguments', said: 'Box takes no folder of that name.', advice: 'Use another folder in the address.' },
  name_temporarily_reserved: busy,
  operation_blocked_temporary: busy,
  bad_digest: garbled,
  digest_mismatch: garbled,
  not_found: missing,
  trashed: missing,
  rate_limit_exceeded: slower,
  too_many_requests: slower,
}

/** Where Box gives no code that is known here. */
function statusCause(status: number): Cause {
  if (status === 401) return token
  if (status === 403) return refused
  if (status === 404 || status === 410) return missing
  if (status === 408 || status === 409 || status === 412 || status === 423) return busy
  if (status === 413) return full
  if (status === 416) return { code: 'damaged', said: 'The object ends before the bytes that were asked for.' }
  if (status === 429) return slower
  if (status === 507) return full
  if (status >= 500) return fault
  return { code: 'unsupported', said: 'Box refuses a request that its interface has.', advice: 'Update Holdfast; if it is the newest, tell its authors.' }
}

export const boxId = pipe(string(), regex(/^\d{1,30}$/))
const conflictItem = object({ type: picklist(['file', 'folder', 'web_link']), id: boxId, name: optional(pipe(string(), maxLength(1000))) })
/** Uploads tell of one item, folders of a list. */
const conflicts = object({ context_info: object({ conflicts: union([conflictItem, array(conflictItem)]) }) })
const refusal = object({ type: nullish(literal('error')), code: nullish(pipe(string(), maxLength(100))), message: nullish(string()), context_info: optional(unknown()) })

export type ConflictItem = InferOutput<typeof conflictItem>

/** The error of a reply that is no answer; of a name that is taken, its `data` holds `conflictType` and `conflictId` where Box tells them. */
export function boxError(what: string, { status, headers }: HttpReply, body: Buffer): HoldfastError {
  const json = parsedJson(body)
  const told = safeParse(refusal, json)
  const isPage = /^\s*text\/html\b/i.test(headers['content-type'] ?? '')
  const page = told.success ? undefined : isPage ? pageCause(status < 300 ? 400 : status) : redirectCause(status)
  if (page) return causeError(page, [what, `HTTP ${status}`, headers['server'] ?? ''], { status, reason: 'NotBox' })
  const named = told.success ? (told.output.code ?? '') : ''
  const reason = /^[a-z0-9_]{1,64}$/.test(named) ? named : 'Unknown'
  const cause = (Object.hasOwn(codeCauses, reason) ? codeCauses[reason] : undefined) ?? statusCause(status)
  const asked = retryAfterMs(headers['retry-after'], Date.now())
  const words = told.success && told.output.message ? new Error(foreign(told.output.message)) : undefined
  const item = conflictOf(json)
  return causeError(cause, [what, reason === 'Unknown' ? '' : reason, `HTTP ${status}`], {
    status, reason, ...(asked === undefined ? {} : { retryAfterMs: asked }), ...(item ? { conflictType: item.type, conflictId: item.id, conflictName: item.name ?? '' } : {}),
  }, words)
}

function conflictOf(json: unknown): ConflictItem | undefined {
  const told = safeParse(conflicts, json)
  if (!told.success) return undefined
  const { conflicts: items } = told.output.context_info
  return Array.isArray(items) ? items[0] : items
}

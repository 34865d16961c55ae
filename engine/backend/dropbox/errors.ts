import { DropboxResponseError } from 'dropbox'
import { HoldfastError } from '../../base/errors.ts'
import { causeError, foreign, notTheStorage, retryAfterMs, type Cause } from '../http/failure.ts'

const signInAgain = 'Sign in to Dropbox again.'
const token: Cause = { code: 'credentials', said: 'Dropbox does not accept the sign-in any more.', advice: signInAgain }
const scope: Cause = { code: 'credentials', said: 'The sign-in does not allow Holdfast to keep files there.', advice: `${signInAgain} Leave everything ticked on Dropbox's page.` }
const slower: Cause = { code: 'throttled', said: 'Dropbox asks to go slower.' }
const writing: Cause = { code: 'throttled', said: 'Dropbox is busy with another change in the same account.' }
const full: Cause = { code: 'full', said: 'The Dropbox is full.', advice: 'Make room in it, or buy more.' }
const refused: Cause = { code: 'denied', said: 'Dropbox refuses the operation.', advice: 'Look into the account at Dropbox: the folder can be shared read-only, or the team can forbid it.' }
const fault: Cause = { code: 'unavailable', said: 'Dropbox reports a fault of its own.' }

/**
 * By the tags of an error from the outermost in, joined by `/`: the first row whose pattern fits.
 * https://www.dropbox.com/developers/documentation/http/documentation (errors of each endpoint), https://www.dropbox.com/developers/reference/data-ingress-guide (429)
 */
const tagCauses: readonly (readonly [RegExp, Cause])[] = [
  [/too_many_write_operations$/, writing],
  [/^too_many_requests$/, slower],
  [/^(expired_access_token|invalid_access_token)$/, token],
  [/^missing_scope$/, scope],
  [/^(user_suspended|route_access_denied|invalid_account_type|paper_access_denied|invalid_select_)/, refused],
  [/^(path|path_lookup|path_write)\/not_(found|file|folder)$/, { code: 'not-found', said: 'The object does not exist.' }],
  [/^path\/conflict\/file$/, { code: 'exists', said: 'The object exists already.' }],
  [/^path_write\/conflict/, { code: 'unavailable', said: 'The object was changed while it was to be removed.' }],
  [/conflict/, { code: 'denied', said: 'Something that is no object stands in its place.', advice: 'Use a folder in which nothing else is kept.' }],
  [/insufficient_space$/, full],
  [/upload_traffic_limit_reached$/, { code: 'full', said: 'The account\'s upload traffic is used up.', advice: 'Look into the account at Dropbox.' }],
  [/(no_write_permission|access_restricted|team_folder|operation_suppressed|restricted_content|locked)$/, refused],
  [/(malformed_path|disallowed_name)$/, { code: 'arguments', said: 'Dropbox takes no folder of that name.', advice: 'Use another folder in the address.' }],
  [/content_hash_mismatch$/, { code: 'unavailable', said: 'Dropbox received other bytes than were sent.', advice: 'Run the command again. If it happens again, the network or memory of a machine on the way is at fault.' }],
  [/^(lookup_failed\/)?(not_found|closed|not_closed|incorrect_offset)$/, { code: 'unavailable', said: 'Dropbox does not go on with the unfinished upload.' }],
  [/^reset$/, { code: 'unavailable', said: 'Dropbox wants the list to be begun anew.' }],
]

/** Where Dropbox gives no tag that is known here. */
function statusCause(status: number): Cause {
  if (status === 401) return token
  if (status === 403) return refused
  if (status === 416) return { code: 'damaged', said: 'The object ends before the bytes that were asked for.' }
  if (status === 429) return slower
  if (status === 507) return full
  if (status === 408 || status >= 500) return fault
  return { code: 'unsupported', said: 'Dropbox refuses a request that its interface has.', advice: 'Update Holdfast; if it is the newest, tell its authors.' }
}

/** What the SDK threw, as one of ours. */
export function sdkError(error: unknown, what: string): HoldfastError | undefined {
  if (error instanceof HoldfastError) return error
  if (!(error instanceof DropboxResponseError)) return undefined
  const { status, headers, error: body } = error as { status: number; headers: Headers; error: unknown }
  const asked = retryAfterMs(headers.get('retry-after') ?? undefined, Date.now())
  return tagError(what, isRecord(body) ? errorOf(body) : undefined, { status, words: isRecord(body) ? body['error_summary'] : body, ...(asked === undefined ? {} : { retryAfterMs: asked }) })
}

interface Told {
  readonly status: number
  readonly retryAfterMs?: number
  /** The service's own. */
  readonly words?: unknown
}

/** The error of a union of Dropbox's. @param union e.g. `{ '.tag': 'path', path: { '.tag': 'not_found' } }` */
export function tagError(what: string, union: unknown, { status, retryAfterMs, words }: Told): HoldfastError {
  const tags = tagsOf(union)
  const reason = tags.join('/')
  const cause = tagCauses.find(([pattern]) => pattern.test(reason))?.[1] ?? statusCause(status)
  const correctOffset = offsetOf(union)
  const own = typeof words === 'string' && words !== '' ? new Error(foreign(words)) : undefined
  return causeError(cause, [what, reason, `HTTP ${status}`], {
    status, reason: reason === '' ? 'Unknown' : reason, ...(retryAfterMs === undefined ? {} : { retryAfterMs }), ...(correctOffset === undefined ? {} : { correctOffset }),
  }, own)
}

/** An answer that is none of Dropbox's. */
export function notDropbox(what: string, error?: unknown): HoldfastError {
  return causeError(notTheStorage, [what], { reason: 'NotDropbox' }, error)
}

/** A 429 gives its reason one level further in. */
function errorOf(body: Readonly<Record<string, unknown>>): unknown {
  const { error } = body
  return isRecord(error) && error['.tag'] === undefined ? error['reason'] : error
}

function tagsOf(union: unknown): readonly string[] {
  const tags: string[] = []
  for (let inner = union; isRecord(inner) && tags.length < 5; ) {
    const tag = inner['.tag']
    if (typeof tag !== 'string' || !/^[a-z_]{1,60}$/.test(tag)) break
    tags.push(tag)
    // An upload's error calls what is inside `reason`.
    inner = inner[tag] ?? inner['reason']
  }
  return tags
}

function offsetOf(union: unknown): number | undefined {
  for (let inner = union; isRecord(inner); inner = inner[String(inner['.tag'])]) {
    const offset = inner['correct_offset']
    if (Number.isSafeInteger(offset) && (offset as number) >= 0) return offset as number
  }
  return undefined
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

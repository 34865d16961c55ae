import { maxLength, nullish, object, optional, pipe, safeParse, string, unknown, type InferOutput, type SafeParseResult } from 'valibot'
import type { HoldfastError } from '../../base/errors.ts'
import { parsedJson } from '../http/bearer.ts'
import type { HttpReply } from '../http/client.ts'
import { causeError, foreign, notTheStorage, pageCause, redirectCause, retryAfterMs, type Cause } from '../http/failure.ts'

const signInAgain = 'Sign in to Microsoft again.'
const token: Cause = { code: 'credentials', said: 'OneDrive does not accept the sign-in any more.', advice: signInAgain }
const slower: Cause = { code: 'throttled', said: 'OneDrive asks to go slower.' }
const full: Cause = { code: 'full', said: 'The OneDrive is full.', advice: 'Make room in it (its recycle bin counts, too), or buy more.' }
const refused: Cause = { code: 'denied', said: 'OneDrive refuses the operation.', advice: 'Look into the account at OneDrive: it can be frozen, or the company can forbid it.' }
const busy: Cause = { code: 'unavailable', said: 'OneDrive is working on the same file or folder.' }
const exists: Cause = { code: 'exists', said: 'The object exists already.' }
const missing: Cause = { code: 'not-found', said: 'The object does not exist.' }
const tooMany: Cause = { code: 'full', said: 'The OneDrive takes no more files or folders.', advice: 'Use another folder or account.' }
const badName: Cause = { code: 'arguments', said: 'OneDrive takes no folder of that name.', advice: 'Use another folder in the address.' }
const ended: Cause = { code: 'damaged', said: 'The object ends before the bytes that were asked for.' }
const fault: Cause = { code: 'unavailable', said: 'OneDrive reports a fault of its own.' }

/**
 * By OneDrive's own codes, which say more than the status, and of which the innermost says most:
 * https://learn.microsoft.com/onedrive/developer/rest-api/concepts/errors
 */
const codeCauses: Readonly<Record<string, Cause>> = {
  unauthenticated: token,
  InvalidAuthenticationToken: token,
  itemNotFound: missing,
  resourceNotFound: { code: 'arguments', said: 'The account has no OneDrive.', advice: 'Open OneDrive once in the browser, or use an account that has one.' },
  nameAlreadyExists: exists,
  upload_name_conflict: exists,
  accessDenied: refused,
  accessRestricted: refused,
  notAllowed: refused,
  malwareDetected: { code: 'denied', said: 'OneDrive takes the object for malware.', advice: 'It is encrypted and can be none; report it to Microsoft, and use another storage meanwhile.' },
  quotaLimitReached: full,
  insufficientStorage: full,
  maxFileSizeExceeded: { code: 'full', said: 'OneDrive takes no file this large.' },
  childItemCountExceeded: tooMany,
  maxDocumentCountExceeded: tooMany,
  maxFolderCountExceeded: tooMany,
  invalidPath: badName,
  activityLimitReached: slower,
  tooManyRequests: slower,
  throttledRequest: slower,
  resourceLocked: busy,
  lockMismatch: busy,
  resourceModified: busy,
}

/** Where OneDrive gives no code that is known here. */
function statusCause(status: number): Cause {
  if (status === 401) return token
  if (status === 403) return refused
  if (status === 404 || status === 410) return missing
  if (status === 408 || status === 409 || status === 412 || status === 423) return busy
  if (status === 413 || status === 507) return full
  if (status === 416) return ended
  if (status === 429 || status === 509) return slower
  if (status >= 500) return fault
  return { code: 'unsupported', said: 'OneDrive refuses a request that its interface has.', advice: 'Update Holdfast; if it is the newest, tell its authors.' }
}

const code = nullish(pipe(string(), maxLength(200)))
const refusal = object({ error: object({ code, message: nullish(string()), innerError: optional(unknown()), innererror: optional(unknown()) }) })
const inner = object({ code, innerError: optional(unknown()), innererror: optional(unknown()) })
const deepest = 5

/**
 * The error of a reply that is no answer. `reason` is the outermost of its codes, `detail` the innermost that is known here.
 * @param bare of an address outside the interface, whose hosts do not always say why
 */
export function oneDriveError(what: string, { status, headers }: HttpReply, body: Buffer, bare = false): HoldfastError {
  const told = safeParse(refusal, parsedJson(body))
  const isPage = /^\s*text\/html\b/i.test(headers['content-type'] ?? '')
  // That something is not there has to come from OneDrive itself: a list of nothing follows from it.
  const nobody = status === 404 && !bare ? notTheStorage : redirectCause(status)
  const page = told.success ? undefined : isPage ? pageCause(status < 300 ? 400 : status) : nobody
  if (page) return causeError(page, [what, `HTTP ${status}`, headers['server'] ?? ''], { status, reason: 'NotOneDrive' })
  const codes = told.success ? codesOf(told.output.error) : []
  const reason = codes[0] ?? 'Unknown'
  const detail = codes.findLast((one) => Object.hasOwn(codeCauses, one))
  const asked = retryAfterMs(headers['retry-after'], Date.now())
  const words = told.success && told.output.error.message ? new Error(foreign(told.output.error.message)) : undefined
  return causeError(causeOf(status, detail, asked), [what, detail ?? (reason === 'Unknown' ? '' : reason), `HTTP ${status}`], {
    status, reason, ...(detail === undefined ? {} : { detail }), ...(asked === undefined ? {} : { retryAfterMs: asked }),
  }, words)
}

function causeOf(status: number, detail: string | undefined, askedMs: number | undefined): Cause {
  // Throttling also comes as 503: https://learn.microsoft.com/sharepoint/dev/general-development/how-to-avoid-getting-throttled-or-blocked-in-sharepoint-online
  if (status === 503 && askedMs !== undefined) return slower
  if (status === 401) return token
  return (detail === undefined ? undefined : codeCauses[detail]) ?? statusCause(status)
}

function codesOf(error: InferOutput<typeof inner>): readonly string[] {
  const codes: string[] = []
  let at: InferOutput<typeof inner> | undefined = error
  for (let depth = 0; at && depth < deepest; depth++) {
    if (at.code && /^[A-Za-z0-9_]{1,64}$/.test(at.code)) codes.push(at.code)
    const next: SafeParseResult<typeof inner> = safeParse(inner, at.innerError ?? at.innererror)
    at = next.success ? next.output : undefined
  }
  return codes
}

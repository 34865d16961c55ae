import * as v from 'valibot'
import { causeError, notTheStorage } from '../backend/http/failure.ts'
import { HoldfastError } from '../base/errors.ts'
import { visibleText } from '../protocol/visible-text.ts'
import { exchange } from './http.ts'
import type { SignInService } from './services.ts'
import type { Tokens } from './token-client.ts'

/** Whose account it is. */
export interface Identity {
  /** The service's own, which stays when the name changes. */
  readonly id: string
  /** As people tell their accounts apart: mostly an e-mail address. */
  readonly login: string
}

const id = v.pipe(v.union([v.string(), v.pipe(v.number(), v.safeInteger(), v.transform(String))]), v.minLength(1), v.maxLength(256))
const shown = v.optional(v.nullable(v.pipe(v.string(), v.maxLength(1024))))

// https://www.dropbox.com/developers/documentation/http/documentation#users-get_current_account
const dropbox = v.pipe(v.object({ account_id: id, email: shown }), v.transform((one) => ({ id: one.account_id, login: one.email })))
// https://developers.google.com/workspace/drive/api/reference/rest/v3/about
const google = v.pipe(
  v.object({ user: v.object({ permissionId: id, emailAddress: shown, displayName: shown }) }),
  v.transform(({ user }) => ({ id: user.permissionId, login: user.emailAddress ?? user.displayName })),
)
// https://learn.microsoft.com/en-us/entra/identity-platform/id-token-claims-reference
const microsoft = v.pipe(v.object({ sub: id, preferred_username: shown, name: shown }), v.transform((one) => ({ id: one.sub, login: one.preferred_username ?? one.name })))
// https://developer.box.com/reference/get-users-me/
const box = v.pipe(v.object({ id, login: shown, name: shown }), v.transform((one) => ({ id: one.id, login: one.login ?? one.name })))

const schemas = { dropbox, google, microsoft, box } as const

/** Errors: credentials, offline, unavailable, aborted. */
export async function identityOf(service: SignInService, tokens: Tokens, signal: AbortSignal): Promise<Identity> {
  const parsed = v.safeParse(schemas[service.kind], await claims(service, tokens, signal))
  if (!parsed.success) throw causeError(notTheStorage, [service.name, 'account'], { reason: 'NotAnAccount' })
  const login = visibleText(parsed.output.login ?? '').trim().slice(0, 128)
  return { id: parsed.output.id, login: login === '' ? service.name : login }
}

async function claims({ name, identity }: SignInService, { accessToken, idToken }: Tokens, signal: AbortSignal): Promise<unknown> {
  if (identity.type === 'id-token') return parseJson(Buffer.from(idToken?.split('.')[1] ?? '', 'base64url').toString('utf8'))
  const reply = await exchange(`the account at ${name}`, { method: identity.method, address: identity.address, accessToken }, signal)
  if (reply.status === 200) return parseJson(reply.text)
  if (reply.status === 401 || reply.status === 403) throw new HoldfastError('credentials', `${name} does not tell whose account it is (HTTP ${reply.status}).`, { data: { status: reply.status } })
  throw causeError({ ...notTheStorage, code: 'unavailable' }, [name, `HTTP ${reply.status}`], { status: reply.status })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

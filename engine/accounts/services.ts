import { serviceFrom } from '../backend/service.ts'
import type { SignInKind } from '../protocol/providers/description.ts'

/** Where a service sends the browser after consent, and which addresses may be registered for that. */
export interface RedirectRule {
  readonly host: '127.0.0.1' | 'localhost'
  /** `any`: the service ignores the port of a loopback address. Else these are registered, and no other will do. */
  readonly ports: 'any' | readonly number[]
  /** Empty or with a slash at its beginning; compared literally by the services. */
  readonly path: string
}

/** How the account's id and name are learned. */
export type IdentitySource =
  | { readonly type: 'request'; readonly method: 'GET' | 'POST'; readonly address: string }
  /** Claims of the token reply's `id_token`. It comes straight from the token address over TLS, so its signature says nothing more (OpenID Connect Core 3.1.3.7, 6). */
  | { readonly type: 'id-token' }

/** What signing in to a service takes, as data. */
export interface SignInService {
  readonly kind: SignInKind
  /** As people know it. */
  readonly name: string
  readonly authorize: string
  readonly token: string
  /** Where consent is taken back; undefined: only on the service's own pages. `bearer`: with an access token, else with the refresh token in a form. */
  readonly revoke?: { readonly address: string; readonly with: 'bearer' | 'token' | 'client-and-token' }
  readonly scopes: readonly string[]
  /** Those of `scopes` without which no backup can be kept: people can untick some. */
  readonly needed: readonly string[]
  readonly redirect: RedirectRule
  /** False: the service knows no proof keys, and the app's secret is all that binds a code to us. */
  readonly pkce: boolean
  readonly secret: 'none' | 'sent'
  /** Further parameters of the authorize address. */
  readonly parameters: Readonly<Record<string, string>>
  readonly identity: IdentitySource
}

/** Exact addresses are registered with Dropbox and Box. Below the ports that systems give to outgoing connections, so that they are mostly free. */
const registeredPorts = [17_417, 22_417, 27_417] as const

const dropbox: SignInService = {
  kind: 'dropbox',
  name: 'Dropbox',
  // https://www.dropbox.com/developers/documentation/http/documentation#oauth2-authorize
  authorize: 'https://www.dropbox.com/oauth2/authorize',
  token: 'https://api.dropboxapi.com/oauth2/token',
  revoke: { address: 'https://api.dropboxapi.com/2/auth/token/revoke', with: 'bearer' },
  // The app has a folder of its own and sees no other. `account_info.read` tells whose account it is, and how much room it has.
  scopes: ['account_info.read', 'files.metadata.read', 'files.content.read', 'files.content.write'],
  needed: ['files.metadata.read', 'files.content.read', 'files.content.write'],
  // Plain http is taken for localhost alone, and compared with its port.
  redirect: { host: 'localhost', ports: registeredPorts, path: '/' },
  pkce: true,
  secret: 'none',
  parameters: { token_access_type: 'offline' },
  identity: { type: 'request', method: 'POST', address: 'https://api.dropboxapi.com/2/users/get_current_account' },
}

const google: SignInService = {
  kind: 'google',
  name: 'Google',
  // https://developers.google.com/identity/protocols/oauth2/native-app
  authorize: 'https://accounts.google.com/o/oauth2/v2/auth',
  token: 'https://oauth2.googleapis.com/token',
  revoke: { address: 'https://oauth2.googleapis.com/revoke', with: 'token' },
  // Only files that Holdfast itself made. It is enough for `about`, which tells whose Drive it is: no scope of OpenID is asked for.
  scopes: ['https://www.googleapis.com/auth/drive.file'],
  needed: ['https://www.googleapis.com/auth/drive.file'],
  redirect: { host: '127.0.0.1', ports: 'any', path: '' },
  pkce: true,
  // Google wants that of desktop apps sent, and says that it is no secret there.
  secret: 'sent',
  // Without `consent` a second sign-in of the same person brings no refresh token.
  parameters: { access_type: 'offline', prompt: 'consent' },
  identity: { type: 'request', method: 'GET', address: 'https://www.googleapis.com/drive/v3/about?fields=user(permissionId,emailAddress,displayName)' },
}

const microsoft: SignInService = {
  kind: 'microsoft',
  name: 'Microsoft',
  // https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow
  authorize: 'https://login.microsoftonline.com/common/oauth2/v2.0/authorize',
  token: 'https://login.microsoftonline.com/common/oauth2/v2.0/token',
  // Its app's folder alone. `User.Read` would let Holdfast read the whole profile: `openid profile` brings the name in the id_token, and nothing else.
  scopes: ['Files.ReadWrite.AppFolder', 'offline_access', 'openid', 'profile'],
  needed: ['Files.ReadWrite.AppFolder'],
  redirect: { host: 'localhost', ports: 'any', path: '' },
  pkce: true,
  secret: 'none',
  // Without it, whoever is signed in to the browser is taken without a question.
  parameters: { prompt: 'select_account' },
  identity: { type: 'id-token' },
}

const box: SignInService = {
  kind: 'box',
  name: 'Box',
  // https://developer.box.com/guides/authentication/oauth2/
  authorize: 'https://account.box.com/api/oauth2/authorize',
  token: 'https://api.box.com/oauth2/token',
  revoke: { address: 'https://api.box.com/oauth2/revoke', with: 'client-and-token' },
  scopes: ['root_readwrite'],
  needed: ['root_readwrite'],
  // 127.0.0.1 and localhost are not the same to Box (rclone issue 8351).
  redirect: { host: '127.0.0.1', ports: registeredPorts, path: '/' },
  pkce: false,
  secret: 'sent',
  parameters: {},
  identity: { type: 'request', method: 'GET', address: 'https://api.box.com/2.0/users/me?fields=id,login,name' },
}

const services: Readonly<Record<SignInKind, SignInService>> = { dropbox, google, microsoft, box }

export const signInKinds = ['dropbox', 'google', 'microsoft', 'box'] as const satisfies readonly SignInKind[]

/** Its addresses are those of a stand-in where HOLDFAST_SERVICE_OAUTH names one: `http://127.0.0.1:port/<kind>/<path>`. Errors: arguments. */
export function signInService(kind: SignInKind, environment: Readonly<Record<string, string | undefined>>): SignInService {
  const service = services[kind]
  const origin = serviceFrom(environment, 'oauth')
  if (origin === undefined) return service
  const moved = (address: string): string => {
    const { pathname, search } = new URL(address)
    return `${origin}/${kind}${pathname}${search}`
  }
  const { authorize, token, revoke, identity } = service
  return {
    ...service,
    authorize: moved(authorize),
    token: moved(token),
    ...(revoke && { revoke: { ...revoke, address: moved(revoke.address) } }),
    identity: identity.type === 'request' ? { ...identity, address: moved(identity.address) } : identity,
  }
}

/** As people know it. */
export function serviceName(kind: SignInKind): string {
  return services[kind].name
}

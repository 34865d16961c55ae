import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Account } from '../../../engine/accounts/account.ts'
import { AccountFile, plainCodec, type AccountFileOptions } from '../../../engine/accounts/account-file.ts'
import { appKeyFor } from '../../../engine/accounts/app-key.ts'
import { AccountOwner, type Wanted } from '../../../engine/accounts/owner.ts'
import { signInService } from '../../../engine/accounts/services.ts'
import { signIn, type SignInPorts } from '../../../engine/accounts/sign-in.ts'
import { systemClock } from '../../../engine/base/clock.ts'
import type { SignInKind } from '../../../engine/protocol/providers/description.ts'
import { browse, OAuthServer } from '../../servers/oauth.ts'

export const never = new AbortController().signal

/** An owner of accounts with a file of its own, beside a service. */
export interface AccountWorld extends AsyncDisposable {
  readonly server: OAuthServer
  readonly path: string
  readonly owner: AccountOwner
  readonly changes: () => number
  /** Another owner of the same file, as a process that starts later has it. */
  another(options?: Partial<AccountFileOptions>): AccountOwner
  /** Somebody signs in; `last`: the page that the browser ended at. */
  signIn(kind: SignInKind, wanted?: Wanted, more?: Partial<SignInPorts>, signal?: AbortSignal): Promise<Account>
  parts(kind: SignInKind): Pick<SignInPorts, 'service' | 'key' | 'clock'>
}

export async function accountWorld(): Promise<AccountWorld> {
  const server = await OAuthServer.start()
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-accounts-'))
  const path = join(folder, 'accounts.json')
  const { environment } = server
  let changes = 0
  const another = (options: Partial<AccountFileOptions> = {}): AccountOwner => new AccountOwner({
    store: new AccountFile({ path, codec: plainCodec, lock: () => Promise.resolve({ [Symbol.dispose]: () => undefined }), ...options }),
    clock: systemClock,
    service: (kind) => signInService(kind, environment),
    appKey: (service) => appKeyFor(service, environment, {}),
    onChange: () => { changes += 1 },
  })
  const owner = another()
  const parts: AccountWorld['parts'] = (kind) => {
    const service = signInService(kind, environment)
    return { service, key: appKeyFor(service, environment, {}), clock: systemClock }
  }
  return {
    server,
    path,
    owner,
    changes: () => changes,
    another,
    parts,
    signIn: (kind, wanted = {}, more = {}, signal = never) => signIn({ ...parts(kind), onAddress: (page) => { void browse(page) }, ...more }, (found) => owner.add(found, wanted), signal),
    async [Symbol.asyncDispose]() {
      await owner[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

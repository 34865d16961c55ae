import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Account } from '../../accounts/account.ts'
import { AccountFile, plainCodec } from '../../accounts/account-file.ts'
import { appKeyFor, parseBuiltKeys, type AppKey, type BuiltKeys } from '../../accounts/app-key.ts'
import { AccountOwner } from '../../accounts/owner.ts'
import { signInService, type SignInService } from '../../accounts/services.ts'
import { systemClock, type Clock } from '../../base/clock.ts'
import { errnoOf } from '../../base/errno.ts'
import { hasCode } from '../../base/errors.ts'
import { lockFile } from '../../catalog/lock.ts'
import type { SignInKind } from '../../protocol/providers/description.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Longer than two renewals take, whatever the service does. */
const patienceMs = 90_000
const lookMs = 50

/** What a build was given (build/app-keys.json); one that was given none has none. */
const builtKeysFile = new URL('../../app-keys.json', import.meta.url)

const never = new AbortController().signal

/**
 * The command line's own accounts: a file in HOLDFAST_HOME that only its user can read, locked while it changes; the kernel lets go of the lock
 * when a process ends in any way.
 */
export function openAccounts(home: string, environment: Environment, clock: Clock): AccountOwner {
  return new AccountOwner({
    store: accountFile(home, clock),
    clock,
    service: (kind) => signInService(kind, environment),
    appKey: (service) => appKeyFor(service, environment, builtKeys()),
  })
}

/** The accounts as they are now. */
export function readAccounts(home: string): Promise<readonly Account[]> {
  return accountFile(home, systemClock).read()
}

/** What a sign-in takes. Errors: unsupported (no app key), arguments. */
export function accountParts(kind: SignInKind, environment: Environment): { readonly service: SignInService; readonly key: AppKey } {
  const service = signInService(kind, environment)
  return { service, key: appKeyFor(service, environment, builtKeys()) }
}

function accountFile(home: string, clock: Clock): AccountFile {
  return new AccountFile({ path: join(home, 'accounts.json'), codec: plainCodec, lock: () => lockWhenFree(join(home, 'accounts.lock'), clock) })
}

async function lockWhenFree(file: string, clock: Clock): Promise<Disposable> {
  const endMs = clock.monotonic() + patienceMs
  for (;;) {
    try {
      return lockFile(file, 'Another Holdfast process holds the accounts and does not let go of them.')
    } catch (error) {
      if (!hasCode(error, 'busy') || clock.monotonic() >= endMs) throw error
      await clock.sleep(lookMs, never)
    }
  }
}

function builtKeys(): BuiltKeys {
  try {
    return parseBuiltKeys(readFileSync(builtKeysFile, 'utf8'))
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return {}
    throw error
  }
}

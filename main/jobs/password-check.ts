import { createHash, timingSafeEqual } from 'node:crypto'
import type { Response } from '../api/contract.ts'
import { EngineError, MainError } from '../api/errors.ts'
import type { Pace } from '../api/pace.ts'
import { repositoryUrl, requireSecrets } from '../repositories/address.ts'
import type { SecretStore } from '../settings/secrets.ts'
import type { Browsing } from './browsing.ts'
import type { DestinationTests } from './destination-test.ts'
import type { JobRecord } from './store.ts'

export interface PasswordPorts {
  readonly secrets: Pick<SecretStore, 'get' | 'set'>
  readonly browsing: Pick<Browsing, 'addPassword'>
  readonly tests: Pick<DestinationTests, 'run'>
  /** How often a password may be tried. */
  readonly guesses: Pick<Pace, 'take'>
}

/** Whether somebody knows a password of a job's repository; and another one for who does not. */
export class PasswordChecks {
  readonly #ports: PasswordPorts

  constructor(ports: PasswordPorts) {
    this.#ports = ports
  }

  /**
   * The one that is kept here is known without asking the storage; any other that opens the repository is as good. `tried` is false where the storage
   * could not be asked. Errors: `busy` after some tries a minute, or while a destination is tested; `password` where none is kept.
   */
  async check({ repository }: JobRecord, typed: string): Promise<Response<'password.check'>> {
    const { guesses, secrets, tests } = this.#ports
    guesses.take()
    const { password, storage } = requireSecrets(secrets, repository)
    if (isSame(typed, password)) return { right: true, tried: true }
    try {
      await tests.run({ destination: repository.destination, secrets: { password: typed, storage }, expectRepositoryId: repository.repositoryId })
      return { right: true, tried: true }
    } catch (error) {
      if (error instanceof MainError && error.code === 'busy') throw error
      return { right: false, tried: error instanceof EngineError && error.wire.code === 'password' }
    }
  }

  /** Lets one more password open the repository, and keeps it here in place of the old one, which goes on opening it. Errors: what the engine says; `password`. */
  async add({ id, repository }: JobRecord, password: string): Promise<void> {
    const { storage } = requireSecrets(this.#ports.secrets, repository)
    await this.#ports.browsing.addPassword(id, password)
    await this.#ports.secrets.set(repository.id, repositoryUrl(repository.destination), { password, storage })
  }
}

/** As keys are made of them (NFC), and in a time that tells nothing. */
function isSame(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text.normalize('NFC')).digest()
  return timingSafeEqual(digest(one), digest(other))
}

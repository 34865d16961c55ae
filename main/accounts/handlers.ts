import { isSameName } from '../../engine/accounts/account.ts'
import { accountOf } from '../../engine/accounts/source.ts'
import type { Destination } from '../api/contract.ts'
import type { Handlers } from '../api/dispatch.ts'
import { MainError } from '../api/errors.ts'
import type { Ask } from '../authority/ask.ts'
import { signOutQuestion } from '../authority/questions.ts'
import { repositoryUrl } from '../repositories/address.ts'
import type { JobStore } from '../jobs/store.ts'
import type { Accounts } from './accounts.ts'

export interface AccountHandlerPorts {
  readonly accounts: Accounts
  readonly store: Pick<JobStore, 'all' | 'copies'>
  readonly ask: Ask
}

export function accountHandlers({ accounts, store, ask }: AccountHandlerPorts): Pick<Handlers, 'account.signIn' | 'account.cancelSignIn' | 'account.signOut'> {
  return {
    'account.signIn': ({ service, account }) => accounts.signIn(service, account),
    'account.cancelSignIn': () => { accounts.cancelSignIn() },
    async 'account.signOut'({ service, account }) {
      const found = accounts.view.list.find((one) => one.service === service && isSameName(one.name, account))
      if (!found) throw new MainError('not-found', 'There is no such account.')
      const isThere = (destination: Destination): boolean => {
        const used = accountOf(repositoryUrl(destination))
        return used?.service === service && (used.name === undefined || isSameName(used.name, account))
      }
      const jobs = store.all.filter(({ config, repository }) => [config, ...store.copies.of(repository.id)].some(({ destination }) => isThere(destination)))
      await ask(signOutQuestion(service, found.login, jobs.map(({ config }) => config.name)))
      await accounts.signOut({ service, name: found.name })
    },
  }
}

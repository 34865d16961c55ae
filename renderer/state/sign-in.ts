import { accountWords } from '../text/account-words.ts'
import type { AccountView, SignInKind } from './bridge.ts'
import type { Session } from './session.svelte.ts'

/** Sends somebody to the browser and waits until they are back. Undefined where nothing came of it, which a toast has told. */
export async function signIn(session: Session, service: SignInKind, again?: string): Promise<AccountView | undefined> {
  const reply = await session.intend('account.signIn', { service, ...(again !== undefined && { account: again }) })
  if (reply) session.toasts.good(accountWords.signedInAs(reply.value))
  return reply?.value
}

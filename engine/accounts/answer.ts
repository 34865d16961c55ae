import { HoldfastError, toWireError } from '../base/errors.ts'
import type { AccountReference, TokenAnswer } from '../protocol/accounts.ts'
import { accountOf } from './source.ts'
import type { TokenOwner } from './tokens.ts'

/**
 * Answers the engine of a job. Whatever it asks for, it gets a token of an account that the job's own addresses name, or none.
 * Never rejects.
 * @param addresses of the job's repositories: see addressesOf
 */
export async function answerEngine(owner: TokenOwner, addresses: readonly string[], asked: AccountReference, rejected: string | undefined, signal: AbortSignal): Promise<TokenAnswer> {
  try {
    const own = addresses.map(accountOf).find((account) => account?.service === asked.service && account.name === asked.name)
    if (!own) throw new HoldfastError('denied', 'The account is not one that the address of this job names.')
    return { type: 'token', token: await owner.token(own, rejected, signal) }
  } catch (error) {
    return { type: 'refused', error: toWireError(error) }
  }
}

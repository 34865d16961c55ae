import { HoldfastError, toWireError } from '../base/errors.ts'
import type { AccountReference, TokenAnswer } from '../protocol/accounts.ts'
import { accountOf } from './source.ts'
import type { TokenOwner } from './tokens.ts'

/**
 * Answers the engine of a job. Whatever it asks for, it gets a token of the account that the job's own address names, or none.
 * Never rejects.
 * @param address of the job's repository
 */
export async function answerEngine(owner: TokenOwner, address: string, asked: AccountReference, rejected: string | undefined, signal: AbortSignal): Promise<TokenAnswer> {
  try {
    const own = accountOf(address)
    if (own?.service !== asked.service || own.name !== asked.name) throw new HoldfastError('denied', 'The account is not the one that the address of this job names.')
    return { type: 'token', token: await owner.token(own, rejected, signal) }
  } catch (error) {
    return { type: 'refused', error: toWireError(error) }
  }
}

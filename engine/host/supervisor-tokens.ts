import type { TokenOwner } from '../accounts/tokens.ts'
import { abortError, throwIfAborted } from '../base/abort.ts'
import { HoldfastError } from '../base/errors.ts'
import type { AccessToken, AccountReference, TokenAnswer } from '../protocol/accounts.ts'
import type { EngineEvent } from '../protocol/messages.ts'

/** Asks the supervisor for tokens: it owns the accounts, and what renews them never comes here. Waits as long as it takes; the heartbeat goes on. */
export class SupervisorTokens implements TokenOwner {
  readonly #send: (event: EngineEvent) => void
  readonly #waiting = new Map<number, (answer: TokenAnswer) => void>()
  #lastRequest = 0

  constructor(send: (event: EngineEvent) => void) {
    this.#send = send
  }

  /** The supervisor answered; an answer that nobody waits for any more is ignored. */
  answered(request: number, answer: TokenAnswer): void {
    this.#waiting.get(request)?.(answer)
  }

  token(account: AccountReference, rejected: string | undefined, signal: AbortSignal): Promise<AccessToken> {
    throwIfAborted(signal)
    const request = ++this.#lastRequest
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.delete(request)
        reject(abortError(signal))
      }
      signal.addEventListener('abort', onAbort, { once: true })
      this.#waiting.set(request, (answer) => {
        signal.removeEventListener('abort', onAbort)
        this.#waiting.delete(request)
        if (answer.type === 'token') resolve(answer.token)
        else reject(new HoldfastError(answer.error.code, answer.error.message, { data: answer.error.data ?? {} }))
      })
      this.#send({ type: 'token-request', request, account, ...(rejected !== undefined && { rejected }) })
    })
  }
}

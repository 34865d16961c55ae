import type { SignInKind } from '../../engine/protocol/providers/description.ts'

export type { SignInKind }

/** Who is signed in to cloud accounts. */
export interface AccountsView {
  /** In the order in which somebody signed in. */
  readonly list: readonly AccountView[]
  /** Services that this build, or its environment, has an app key for: only with these can anybody sign in. */
  readonly available: readonly SignInKind[]
  /** A sign-in waits for the browser. */
  readonly signingIn?: SignInKind
}

/** Which account somebody has to sign in to. */
export interface MissingAccount {
  readonly service: SignInKind
  /** Absent where the address names none and nobody is signed in. */
  readonly account?: string
}

export interface AccountView {
  readonly service: SignInKind
  /** What addresses call it. */
  readonly name: string
  /** As the service does: mostly an e-mail address. */
  readonly login: string
  readonly signedInMs: number
  /** `sign-in-again`: consent was withdrawn or has ended; jobs with it wait. */
  readonly state: 'signed-in' | 'sign-in-again'
}

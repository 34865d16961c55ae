import type { Bridge } from '../../main/api/contract.ts'

declare global {
  interface Window {
    /** Put there by main/preload.ts. */
    readonly holdfast: Bridge
  }
}

export type * from '../../main/api/contract.ts'

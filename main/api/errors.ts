import type { ErrorCode, WireError } from '../../engine/protocol/errors.ts'

/** An error of main with a code for the window's words. */
export class MainError extends Error {
  override readonly name = 'MainError'
  readonly code: ErrorCode
  readonly data: Readonly<Record<string, string | number | boolean>>

  constructor(code: ErrorCode, message: string, data: Readonly<Record<string, string | number | boolean>> = {}) {
    super(message)
    this.code = code
    this.data = data
  }
}

/** An error that an engine reported, on its way to the window. */
export class EngineError extends Error {
  override readonly name = 'EngineError'
  readonly wire: WireError

  constructor(wire: WireError) {
    super(wire.message)
    this.wire = wire
  }
}

/** Any thrown value as plain data. What is not ours is `internal`: its message goes to the log, not to the window. */
export function toWire(error: unknown): WireError {
  if (error instanceof EngineError) return error.wire
  if (error instanceof MainError) return { code: error.code, message: error.message, retryable: false, data: error.data }
  return { code: 'internal', message: 'Something went wrong inside Holdfast; the log says more.', retryable: false }
}

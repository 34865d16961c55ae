import { asHoldfastError, HoldfastError } from '../../base/errors.ts'
import type { Log, LogContext, LogLevel } from '../../base/log.ts'

/** Where a lane of a sync is. */
export interface Place {
  readonly group?: string
  readonly snapshot?: string
}

/** A log whose lines say where the lane is that writes them: also those of the storages that it has opened long before. */
export class PlacedLog implements Log {
  readonly #log: Log
  readonly #place: { current: Place }

  constructor(log: Log, place: { current: Place } = { current: {} }) {
    this.#log = log
    this.#place = place
  }

  at(place: Place): void {
    this.#place.current = place
  }

  with(context: LogContext): Log {
    return new PlacedLog(this.#log.with(context), this.#place)
  }

  write(level: LogLevel, message: string): void {
    this.#log.with(this.#place.current).write(level, message)
  }
}

/** `group › snapshot`, for people. */
export function placeWords({ group, snapshot }: Place): string {
  return [group, snapshot].filter((part) => part !== undefined).join(' › ')
}

/** The same error, that says where it came up. */
export function placedError(error: unknown, place: Place): HoldfastError {
  const known = asHoldfastError(error)
  if (known.code === 'aborted' || 'group' in known.data || place.group === undefined) return known
  return new HoldfastError(known.code, `${placeWords(place)}: ${known.message}`, { cause: known.cause, data: { ...known.data, ...place } })
}

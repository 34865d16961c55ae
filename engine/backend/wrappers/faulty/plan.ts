import { errorCodes, type ErrorCode } from '../../../protocol/errors.ts'
import { HoldfastError } from '../../../base/errors.ts'

export const faultyOperations = ['put', 'get', 'stat', 'list', 'remove', 'any'] as const
export type FaultyOperation = (typeof faultyOperations)[number]

export const faultKinds = [
  'before', // fails, nothing happened
  'during', // put: breaks off half-way; get: fails after half of the bytes; list: fails after the first object
  'after', // happens, then fails: a lost reply
  'truncate', // put stores and get returns only half, without an error; list ends half-way (after the first object)
  'flip', // put stores and get returns one wrong bit
  'delay', // waits `ms` first
  'slow', // at most `bytesPerSecond`
  'hang', // waits until aborted
  'late', // lists show an object only `ms` after it was put through this wrapper
  'crash-before', // SIGKILLs this process
  'crash-after',
] as const
export type FaultKind = (typeof faultKinds)[number]

export interface FaultRule {
  readonly operation: FaultyOperation
  readonly kind: FaultKind
  /** Only objects (or lists) whose name begins so. */
  readonly prefix: string
  /** 0..1, of matching operations. */
  readonly probability: number
  /** Matching operations that are left alone first. */
  readonly skip: number
  /** After so many faults the rule is spent. */
  readonly times: number
  /** Of the error that before, during and after throw: `throttled` is a 429, `unavailable` a 503. */
  readonly code: ErrorCode
  readonly retryAfterMs: number
  readonly ms: number
  readonly bytesPerSecond: number
}

export interface FaultPlan {
  readonly seed: number
  readonly rules: readonly FaultRule[]
  /** The storage acts as one that bears no more transfers at a time. */
  readonly maxConnections?: number
  /** The storage acts as one that takes no larger objects, in bytes. */
  readonly largestPut?: number
  /** The storage lists in descending order, and acts as one to which each list of a prefix costs a whole one. */
  readonly anyOrder?: boolean
  /** A file that gets a line `index kind operation name` per fault, for tests whose faults happen in another process. */
  readonly report?: string
}

export function faultRule(operation: FaultyOperation, kind: FaultKind, more: Partial<FaultRule> = {}): FaultRule {
  return {
    operation, kind, prefix: '', probability: 1, skip: 0, times: Number.POSITIVE_INFINITY, code: 'offline', retryAfterMs: 0, ms: 1000,
    bytesPerSecond: 100_000, ...more,
  }
}

/**
 * From an address's query: `fault.seed=7&fault.rule=put,before,prefix=packs/,times=3&fault.rule=list,late,ms=500`, and
 * `fault.connections=3`, `fault.largest=1000`, `fault.order=any`, `fault.report=/file`. Throws `arguments`.
 */
export function parseFaultPlan(settings: URLSearchParams): FaultPlan {
  for (const key of settings.keys()) if (!['seed', 'rule', 'connections', 'largest', 'order', 'report'].includes(key)) throw wrong(`unknown setting fault.${key}`)
  const report = settings.get('report')
  const connections = settings.get('connections')
  const largest = settings.get('largest')
  const order = settings.get('order')
  if (order !== null && order !== 'any') throw wrong('order is "any"')
  return {
    seed: number(settings.get('seed') ?? '1', 'seed'),
    rules: settings.getAll('rule').map(parseRule),
    ...(connections === null ? {} : { maxConnections: number(connections, 'connections') }),
    ...(largest === null ? {} : { largestPut: number(largest, 'largest') }),
    ...(order === null ? {} : { anyOrder: true }),
    ...(report === null ? {} : { report }),
  }
}

function parseRule(text: string): FaultRule {
  const [operation, kind, ...settings] = text.split(',')
  const knownOperation = faultyOperations.find((known) => known === operation)
  const knownKind = faultKinds.find((known) => known === kind)
  if (!knownOperation || !knownKind) throw wrong(`"${text}" does not begin with an operation and a kind`)
  return faultRule(knownOperation, knownKind, Object.assign({}, ...settings.map(parseSetting)) as Partial<FaultRule>)
}

function parseSetting(text: string): Partial<FaultRule> {
  const [key = '', value = ''] = text.split('=', 2)
  switch (key) {
    case 'prefix':
      return { prefix: value }
    case 'code': {
      const code = errorCodes.find((known) => known === value)
      if (!code) throw wrong(`unknown error code "${value}"`)
      return { code }
    }
    case 'probability':
    case 'skip':
    case 'times':
    case 'retryAfterMs':
    case 'ms':
    case 'bytesPerSecond':
      return { [key]: number(value, key) }
    default:
      throw wrong(`unknown setting "${key}" in a rule`)
  }
}

function number(text: string, what: string): number {
  const value = Number(text)
  if (text === '' || !Number.isFinite(value) || value < 0) throw wrong(`${what} is not a number`)
  return value
}

function wrong(message: string): HoldfastError {
  return new HoldfastError('arguments', `The faulty+ address is wrong: ${message}.`)
}

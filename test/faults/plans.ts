/** One operation of a command on one kind of object, as `get packs/`. */
export interface Row {
  readonly operation: string
  readonly prefix: string
}

/** What is planned for one operation, and how the run may end. */
export interface Plan {
  readonly kind: string
  readonly rules: (row: Row) => readonly string[]
  readonly endings: readonly string[]
  /** Operations that it means something for; absent: all. */
  readonly operations?: readonly string[]
  /** The run is stopped while it hangs. */
  readonly stop?: boolean
  /** Each rule must have happened; else one is enough. */
  readonly each?: boolean
  /** The storage keeps something else than it was given, and nobody is told: that must be found, and cost no older snapshot. */
  readonly lies?: boolean
}

/** How a command ends well. */
export const good = ['success', 'unchanged', 'warnings']

const transfers = ['put', 'get']
const streams = ['put', 'get', 'list']

/** A fault at every such operation until patience is at its end. */
function always(fault: string, code: string, more = ''): (row: Row) => readonly string[] {
  return ({ operation, prefix }) => [`${operation},${fault},prefix=${prefix},code=${code}${more}`]
}

function once(fault: string): (row: Row) => readonly string[] {
  return ({ operation, prefix }) => [`${operation},${fault},prefix=${prefix},times=1`]
}

/**
 * One after the other on the same operation: each is survived by trying again, or by waiting. `after` comes last: where the object is not
 * there, its answer is the operation's last. The delay comes with the first, the limited rate with all.
 */
function passing({ operation, prefix }: Row): readonly string[] {
  const failures = [
    'before,code=offline',
    ...(streams.includes(operation) ? ['during,code=offline'] : []),
    'before,code=throttled,retryAfterMs=700',
    'before,code=unavailable,retryAfterMs=300',
    'after,code=offline',
  ]
  return [
    `${operation},delay,prefix=${prefix},times=1,ms=500`,
    ...(transfers.includes(operation) ? [`${operation},slow,prefix=${prefix},bytesPerSecond=1000000`] : []),
    ...failures.map((failure, skip) => `${operation},${failure},prefix=${prefix},times=1,skip=${skip}`),
  ]
}

/** Every kind of fault. Failures first, so that what passes comes to a repository that has seen them all. */
export const plans: readonly Plan[] = [
  { kind: 'offline', rules: always('before', 'offline'), endings: ['offline'] },
  { kind: '503', rules: always('before', 'unavailable', ',retryAfterMs=300'), endings: ['unavailable'] },
  { kind: '429', rules: always('before', 'throttled', ',retryAfterMs=700'), endings: ['throttled'] },
  { kind: 'denied', rules: always('before', 'denied'), endings: ['denied'] },
  { kind: 'credentials', rules: always('before', 'credentials'), endings: ['credentials'] },
  { kind: 'full', rules: always('before', 'full'), endings: ['full'], operations: ['put'] },
  { kind: 'broken off', rules: always('during', 'offline'), endings: ['offline'], operations: streams },
  { kind: 'lost replies', rules: always('after', 'offline'), endings: ['offline', ...good] },
  { kind: 'hang', rules: once('hang'), endings: ['aborted'], stop: true },
  { kind: 'truncate', rules: once('truncate'), endings: ['damaged', ...good], operations: ['get'] },
  { kind: 'flip', rules: once('flip'), endings: ['damaged', 'version', 'password', ...good], operations: ['get'] },
  { kind: 'late', rules: ({ prefix }) => [`list,late,prefix=${prefix},ms=100000000`], endings: good, operations: ['list'] },
  { kind: 'passing', rules: passing, endings: good, each: true },
  { kind: 'stored truncated', rules: once('truncate'), endings: ['damaged', ...good], operations: ['put'], lies: true },
  { kind: 'stored flipped', rules: once('flip'), endings: ['damaged', 'version', 'password', ...good], operations: ['put'], lies: true },
]

/** How a fault is counted: `before throttled`, `after`, `slow`, … */
export function faultKind(rule: string): string {
  const [, kind = '', ...settings] = rule.split(',')
  const code = settings.find((setting) => setting.startsWith('code='))?.slice('code='.length)
  return kind === 'before' ? `${kind} ${code ?? ''}` : kind
}

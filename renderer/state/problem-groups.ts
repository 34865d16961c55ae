import type { Problem } from './bridge.ts'

/** The warnings of one cause. */
export interface ProblemGroup {
  readonly code: Problem['code']
  readonly problems: readonly Problem[]
}

/** By cause; the most frequent first, and each cause in the order in which its warnings came. */
export function groupsOf(problems: readonly Problem[]): readonly ProblemGroup[] {
  const groups = new Map<Problem['code'], Problem[]>()
  for (const problem of problems) {
    const group = groups.get(problem.code)
    if (group) group.push(problem)
    else groups.set(problem.code, [problem])
  }
  return [...groups].map(([code, all]) => ({ code, problems: all })).sort((a, b) => b.problems.length - a.problems.length)
}

/** What is met at a file or folder that nobody needs to back up. */
const leavable: ReadonlySet<Problem['code']> = new Set(['unreadable', 'vanished', 'changed'])

/**
 * The pattern that leaves exactly what a warning is about out of a job. Undefined where there is none: it is not about a file, its path has been escaped for
 * people, or the job has several sources, in each of which the pattern would count.
 */
export function patternFor({ code, path }: Problem, sources: readonly { readonly path: string }[]): string | undefined {
  const [source, ...others] = sources
  if (!source || others.length > 0 || !leavable.has(code) || path.includes('\\')) return undefined
  const root = source.path.endsWith('/') ? source.path : `${source.path}/`
  const relative = path.startsWith(root) ? path.slice(root.length) : ''
  if (relative === '') return undefined
  return `/${relative.replace(/[*?[\]!#]/g, String.raw`\$&`).replace(/ +$/, (blanks) => String.raw`\ `.repeat(blanks.length))}`
}

/** Blobs of the abstract worlds: chunks a, b, c and trees t, u, v. A set of them is a number with one bit for each. */
const alphabet = 'abctuv'

export function blobSet(letters: string): number {
  return [...letters].reduce((set, letter) => set | 1 << alphabet.indexOf(letter), 0)
}

export function lettersOf(set: number): string {
  return bits(set).map((bit) => alphabet[bit]).join('') || '-'
}

/** Positions of the bits of a set, lowest first. */
export function bits(set: number): readonly number[] {
  const found: number[] = []
  for (let rest = set; rest !== 0; rest &= rest - 1) found.push(31 - Math.clz32(rest & -rest))
  return found
}

export function lowest(set: number): number {
  return 31 - Math.clz32(set & -set)
}

export function has(set: number, bit: number): boolean {
  return (set >> bit & 1) === 1
}

/** The list with another value at one place. */
export function replaced<T>(list: readonly T[], index: number, value: T): readonly T[] {
  const copy = list.slice()
  copy[index] = value
  return copy
}

/** An element that must be there. */
export function at<T>(list: readonly T[], index: number): T {
  const value = list[index]
  if (value === undefined) throw new Error(`the model is too small: nothing at ${index} of ${list.length}`)
  return value
}

/**
 * Shapes as signed distances on a unit square, y downwards: negative inside, positive outside, in units of the square. They
 * are drawn at any size without a picture file.
 */
export type Shape = (x: number, y: number) => number

/** A line with round ends. */
export function stroke(ax: number, ay: number, bx: number, by: number, width: number): Shape {
  const [dx, dy] = [bx - ax, by - ay]
  const length = dx * dx + dy * dy
  return (x, y) => {
    const along = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / length))
    return Math.hypot(x - ax - along * dx, y - ay - along * dy) - width / 2
  }
}

/** A polygon with rounded corners. Points in order, without the first one repeated. */
function polygon(points: readonly (readonly [number, number])[], radius: number): Shape {
  return (x, y) => {
    let distance = Infinity
    let inside = false
    points.forEach(([ax, ay], at) => {
      const [bx, by] = points[(at + 1) % points.length] ?? [ax, ay]
      distance = Math.min(distance, stroke(ax, ay, bx, by, 0)(x, y))
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside
    })
    return (inside ? -distance : distance) - radius
  }
}

export function union(...shapes: readonly Shape[]): Shape {
  return (x, y) => Math.min(...shapes.map((shape) => shape(x, y)))
}

/** The keep of Holdfast: a shield with a straight top and sides that run together below. */
export const shield: Shape = polygon(shieldOutline(), 0.05)

function shieldOutline(): (readonly [number, number])[] {
  const points: [number, number][] = [[0.5, 0.09], [0.86, 0.2]]
  for (let step = 0; step <= 8; step++) points.push(sideAt(step / 8))
  for (let step = 8; step >= 0; step--) {
    const [x, y] = sideAt(step / 8)
    points.push([1 - x, y])
  }
  points.push([0.14, 0.2])
  return points
}

/** The right side from its shoulder to the tip: a curve with two control points. */
function sideAt(t: number): [number, number] {
  const [a, b, c, d] = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t ** 3]
  return [a * 0.86 + b * 0.86 + c * 0.74 + d * 0.5, a * 0.46 + b * 0.7 + c * 0.84 + d * 0.92]
}

export const triangle: Shape = polygon([[0.5, 0.14], [0.9, 0.84], [0.1, 0.84]], 0.06)

export const octagon: Shape = polygon(Array.from({ length: 8 }, (_none, at) => {
  const angle = ((at + 0.5) * Math.PI) / 4
  return [0.5 + 0.43 * Math.cos(angle), 0.5 + 0.43 * Math.sin(angle)] as const
}), 0.04)

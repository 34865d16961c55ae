import type { WindowBounds } from '../settings/settings.ts'

interface Area {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export const minimumSize = { width: 720, height: 520 }
const usual: WindowBounds = { width: 1080, height: 720 }
/** So much of the title must be on a screen, or the window could not be dragged back. */
const reachable = 80

/** Where the window opens: where it was, unless that is on no screen any more; no larger than the screen. */
export function openingBounds(remembered: WindowBounds | undefined, screens: readonly Area[]): WindowBounds {
  const wanted = remembered ?? usual
  const { x, y } = wanted
  const screen = x === undefined || y === undefined ? undefined : screens.find((one) => isReachable(x, y, wanted.width, one))
  const largest = screen ?? screens[0]
  const width = clamp(wanted.width, minimumSize.width, largest?.width)
  const height = clamp(wanted.height, minimumSize.height, largest?.height)
  return { width, height, ...(screen && x !== undefined && y !== undefined && { x, y }) }
}

function isReachable(x: number, y: number, width: number, screen: Area): boolean {
  const shown = Math.min(x + width, screen.x + screen.width) - Math.max(x, screen.x)
  return shown >= reachable && y >= screen.y && y < screen.y + screen.height - reachable / 2
}

function clamp(value: number, least: number, most = Infinity): number {
  return Math.max(least, Math.min(value, most))
}

/** What a file of a snapshot holds, as far as it can be shown. Sizes in bytes. */
export type FilePreview =
  /** `complete`: false where only its beginning is there. */
  | { readonly kind: 'text'; readonly text: string; readonly size: number; readonly complete: boolean }
  /** The whole file, of a format that browsers decode. */
  | { readonly kind: 'image'; readonly format: ImageFormat; readonly bytes: Uint8Array; readonly width: number; readonly height: number; readonly size: number }
  /** `binary`: neither text nor such an image. `large`: an image of more bytes or pixels than are shown. */
  | { readonly kind: 'none'; readonly reason: 'binary' | 'large' | 'empty' | 'no-file'; readonly size: number }

export const imageFormats = ['png', 'jpeg', 'gif', 'webp'] as const
export type ImageFormat = (typeof imageFormats)[number]

/** Of a text this much is shown; of an image no more than that. */
export const mostTextBytes = 256 * 1024
export const mostImageBytes = 8 * 1024 * 1024
export const mostPixels = 40_000_000

/** How two versions of a text file differ. */
export type TextComparison =
  | { readonly kind: 'lines'; readonly hunks: readonly TextHunk[]; readonly added: number; readonly removed: number; readonly complete: boolean }
  | { readonly kind: 'same' }
  /** `many`: they differ in more than can be told in a moment. */
  | { readonly kind: 'none'; readonly reason: 'binary' | 'large' | 'no-file' | 'many' }

/** Lines that follow one another in both versions, with some around them that are the same. */
export interface TextHunk {
  /** Number of the first line, from 1. */
  readonly olderLine: number
  readonly newerLine: number
  readonly lines: readonly { readonly kind: 'same' | 'added' | 'removed'; readonly text: string }[]
}

/** Of each version, to be compared; and lines that are told. */
export const mostComparedBytes = 1024 * 1024
export const mostComparedLines = 2000

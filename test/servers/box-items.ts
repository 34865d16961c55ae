import { createHash } from 'node:crypto'

interface FolderItem {
  readonly id: string
  readonly type: 'folder'
  readonly name: string
  readonly parent: string
  trashed: boolean
}

export interface FileItem {
  readonly id: string
  readonly type: 'file'
  readonly name: string
  readonly parent: string
  trashed: boolean
  bytes: Buffer
  modified: Date
}

export type Item = FolderItem | FileItem

export function orderOf({ type, id }: Item): number {
  return (type === 'folder' ? 0 : 1e9) + Number(id)
}

export function miniOf(item: Item) {
  return { type: item.type, id: item.id, name: item.name, etag: '0', ...(item.type === 'file' ? { sha1: sha1(item.bytes) } : {}) }
}

export function infoOf(item: FileItem) {
  return { ...miniOf(item), size: item.bytes.length, modified_at: `${item.modified.toISOString().slice(0, 19)}+00:00` }
}

export function sha1(bytes: Buffer): string {
  return createHash('sha1').update(bytes).digest('hex')
}

import type { MenuItemConstructorOptions } from 'electron'

/**
 * The menu of the app, or null for none. Packaged, it offers nothing that looks inside the window or loads it anew; macOS needs
 * one, because copy and paste come from it there. Without a menu its shortcuts are gone too.
 */
export function menuTemplate(platform: NodeJS.Platform, isPackaged: boolean): MenuItemConstructorOptions[] | null {
  const develop: MenuItemConstructorOptions[] = isPackaged ? [] : [{ label: 'Develop', submenu: [{ role: 'reload' }, { role: 'toggleDevTools' }] }]
  const mac: MenuItemConstructorOptions[] = platform === 'darwin' ? [{ role: 'appMenu' }, { role: 'editMenu' }, { role: 'windowMenu' }] : []
  const menu = [...mac, ...develop]
  return menu.length === 0 ? null : menu
}

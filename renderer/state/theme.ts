import type { SettingsView } from './bridge.ts'

/** Sets the theme on the document and follows the system where the setting says so; the returned function ends that. */
export function followTheme(theme: SettingsView['theme']): () => void {
  const system = matchMedia('(prefers-color-scheme: dark)')
  const apply = (): void => {
    document.documentElement.dataset['theme'] = theme === 'system' ? (system.matches ? 'dark' : 'light') : theme
  }
  apply()
  system.addEventListener('change', apply)
  return () => system.removeEventListener('change', apply)
}

import { directions, language, languageOf, setLanguage } from '../main/text/language.ts'

// Comes before every module with texts: they are made when those are loaded.
setLanguage(languageOf(new URLSearchParams(location.search).get('language') ?? '') ?? 'en')
document.documentElement.lang = language()
document.documentElement.dir = directions[language()]

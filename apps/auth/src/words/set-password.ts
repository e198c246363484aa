import { room } from './room.ts'

/** `set-password`, and what stands where a link no longer works. */
export const setPassword = room({
  en: {
    welcome: 'Welcome to VertexSMS',
    choose: 'Choose a password for',
    titleNew: 'Choose your password',
    title: 'Set a new password',
    forAccount: 'for',
    newPassword: 'New password',
    submit: 'Save and sign in',
    whatEnds: 'Setting a new password signs you out everywhere, removes passkeys and disconnects connected apps.',
    spent: {
      title: 'This link no longer works',
      text: 'It has been used, has expired, or was replaced by a newer one.',
      another: 'Ask for a new link',
    },
  },
  lt: {
    welcome: 'Sveiki atvykę į VertexSMS',
    choose: 'Pasirinkite slaptažodį paskyrai',
    titleNew: 'Pasirinkite slaptažodį',
    title: 'Nustatykite naują slaptažodį',
    forAccount: 'paskyrai',
    newPassword: 'Naujas slaptažodis',
    submit: 'Išsaugoti ir prisijungti',
    whatEnds:
      'Nustačius naują slaptažodį, visur būsite atjungti, prieigos raktai bus pašalinti, o prijungtos programos atjungtos.',
    spent: {
      title: 'Ši nuoroda nebeveikia',
      text: 'Ji jau panaudota, baigėsi jos laikas arba ją pakeitė naujesnė.',
      another: 'Prašyti naujos nuorodos',
    },
  },
})

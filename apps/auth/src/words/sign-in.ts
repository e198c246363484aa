import { room } from './room.ts'

/** `sign-in`. */
export const signIn = room({
  en: {
    title: 'Sign in',
    toGoOn: 'to go on connecting your app',
    toGoOnWith: (app: string) => `to go on connecting ${app}`,
    email: 'Email',
    password: 'Password',
    submit: 'Sign in',
    passkey: 'Use a passkey',
    forgot: 'Forgot your password?',
    inviteOnly: 'VertexSMS is invite-only.',
    requestAccess: 'Request access',
    /** One sentence for every failure: it does not tell whether the account exists, is disabled, or was mistyped. */
    refused: 'The email address or the password is not right.',
    /** Whatever ended it. */
    hasEnded:
      'You are signed out: your session has ended, or the account was disabled. If signing in fails, ask the operator of this service.',
    passkeyRefused: 'That passkey was not accepted. Try again, or use your password.',
    passkeyKnown: 'This device has a passkey of your account already.',
    noPasskeyUsed: 'No passkey was used. You can try again.',
  },
  lt: {
    title: 'Prisijungimas',
    toGoOn: 'ir toliau prijunkite savo programą',
    toGoOnWith: (app) => `ir toliau prijunkite: ${app}`,
    email: 'El. paštas',
    password: 'Slaptažodis',
    submit: 'Prisijungti',
    passkey: 'Naudoti prieigos raktą',
    forgot: 'Pamiršote slaptažodį?',
    inviteOnly: 'VertexSMS naudojasi tik pakviestieji.',
    requestAccess: 'Prašyti prieigos',
    refused: 'Neteisingas el. pašto adresas arba slaptažodis.',
    hasEnded:
      'Esate atjungti: jūsų seansas baigėsi arba paskyra išjungta. Jei prisijungti nepavyksta, kreipkitės į šios paslaugos operatorių.',
    passkeyRefused: 'Šis prieigos raktas nepriimtas. Bandykite dar kartą arba naudokite slaptažodį.',
    passkeyKnown: 'Šiame įrenginyje jau yra jūsų paskyros prieigos raktas.',
    noPasskeyUsed: 'Prieigos raktas nepanaudotas. Galite bandyti dar kartą.',
  },
})

import { room } from './room.ts'

/** `request-access`, and what answers it. */
export const requestAccess = room({
  en: {
    title: 'Request access',
    lead: 'VertexSMS is invite-only. Tell us who you are, and the operator of this service will look at your request.',
    email: 'Work email',
    name: 'Name',
    company: 'Company',
    reason: 'What do you want to do?',
    submit: 'Request access',
    haveAccount: 'Already have an account?',
    signIn: 'Sign in',
    kept: (days: string) =>
      `A person reads it, so it may take a few days. Only the operator sees what you write; it is deleted ${days} days after it was dealt with.`,
    problem: {
      email: 'Enter a complete email address.',
      missing: 'Fill this in.',
      tooLong: (chars: string) => `${chars} characters at most.`,
      control: 'Control characters are not allowed.',
    },
    thanks: {
      title: 'Thank you',
      text: 'We have your request. If you are invited, the operator will give you a link to set a password.',
      back: 'Back to sign in',
    },
  },
  lt: {
    title: 'Prieigos prašymas',
    lead: 'VertexSMS naudojasi tik pakviestieji. Parašykite, kas esate, ir šios paslaugos operatorius peržiūrės jūsų prašymą.',
    email: 'Darbo el. paštas',
    name: 'Vardas',
    company: 'Įmonė',
    reason: 'Ką norite daryti?',
    submit: 'Prašyti prieigos',
    haveAccount: 'Turite paskyrą?',
    signIn: 'Prisijungti',
    kept: (days) =>
      `Prašymus skaito žmogus, todėl tai gali užtrukti kelias dienas. Ką parašysite, matys tik operatorius, o praėjus ${days} dienų po peržiūros tai bus ištrinta.`,
    problem: {
      email: 'Įveskite visą el. pašto adresą.',
      missing: 'Užpildykite šį lauką.',
      tooLong: (chars) => `Daugiausia ${chars} ženklų.`,
      control: 'Valdymo ženklų čia būti negali.',
    },
    thanks: {
      title: 'Ačiū',
      text: 'Jūsų prašymą gavome. Jei būsite pakviesti, operatorius duos nuorodą, su kuria nustatysite slaptažodį.',
      back: 'Grįžti prie prisijungimo',
    },
  },
})

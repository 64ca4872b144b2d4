/** Words that carry grammar, not meaning: useless to search for, and the surest mark of a language. */
const english = `a about above after again against all am an and any are as at be because been before being below between
both but by can could did do does doing down during each few for from further had has have having he her here hers
herself him himself his how i if in into is it its itself just let may me might more most must my myself no nor not now
of off on once only or other our ours ourselves out over own same shall she should so some such than that the their
theirs them themselves then there these they this those through to too under until up upon very was we were what when
where which while who whom whose why will with within without would you your yours yourself yourselves
s t d ll m re ve don isn aren wasn weren doesn didn hasn haven hadn won wouldn shouldn couldn`;

/** The most frequent ones of other languages in Latin letters, without those that English has too; folded. */
const others = `der die das und ist nicht von mit den dem des ein eine einer einen im zu auf fur als auch sich wird sind bei nach oder aus wie wir
le la les et est une des du dans pour que qui sur pas par avec au aux ce cette sont il elle nous vous plus
el los las una del con por para como pero esta son mas su sus al lo se y es
il che di e della nel sono gli dei per con questo anche piu ha alla
os da em nao uma com dos mais foi ao pelo sua
het een van op te zijn niet voor met aan ook maar door naar bij wordt
och att det som pa av inte har ett till
jeg ikke og til af er paa som vi
ja ei on se ettei mutta kun myos ovat oli
w z na nie ze jest do oraz przez dla jak
v je ve se na pro jako ale jsou
bir ve bu icin ile olarak daha cok gibi
yang dan di untuk dengan ini itu dari pada tidak
khong la cua va nhung trong`;

const words = (list: string): Set<string> => new Set(list.split(/\s+/));

/** Folded English function words. */
export const englishFunctionWords: ReadonlySet<string> = words(english);

/** Folded function words that speak for another language. */
export const foreignFunctionWords: ReadonlySet<string> = new Set(
  [...words(others)].filter((word) => !englishFunctionWords.has(word)),
);

/** What is said of an event, by its names in a calendar. */
const said: Record<string, string> = {
  SUMMARY: 'Event',
  DTSTART: 'Start',
  DTEND: 'End',
  LOCATION: 'Location',
  ORGANIZER: 'Organizer',
  ATTENDEE: 'Attendee',
  DESCRIPTION: 'Description',
};
/** Things of a calendar that people are told of; others say when clocks are put forward, or ring a bell. */
const shownParts = /^(VEVENT|VTODO|VJOURNAL)$/i;

/**
 * The events of a calendar as people see an invitation. As the file has it a line is cut in the middle of words, and most
 * of it is for programs.
 */
export function calendarText(calendar: string): string {
  const lines: string[] = [];
  const open: string[] = [];
  for (const line of calendar.replaceAll(/\r?\n[ \t]/g, '').split(/\r?\n/)) {
    // A quoted parameter may have a colon.
    const [, name = '', parameters = '', value = ''] = /^([\w-]+)(;(?:"[^"]*"|[^":])*)?:(.*)$/.exec(line) ?? [];
    const key = name.toUpperCase();
    if (key === 'BEGIN') open.push(value.trim());
    else if (key === 'END') open.pop();
    const label = said[key];
    const text = valueOf(key, parameters, value);
    if (label && text && shownParts.test(open.at(-1) ?? '')) lines.push(`${label}: ${text}`);
  }
  return lines.join('\n');
}

function valueOf(key: string, parameters: string, value: string): string {
  if (key.startsWith('DT')) return dateOf(value, /;TZID="?([^";:]+)/i.exec(parameters)?.[1]);
  if (key === 'ORGANIZER' || key === 'ATTENDEE') {
    const name = /;CN=(?:"([^"]*)"|([^;:]*))/i.exec(parameters);
    const address = value.replace(/^mailto:/i, '').trim();
    const called = name?.[1] ?? name?.[2];
    return called && called !== address ? `${called} <${address}>` : address;
  }
  return value
    .replaceAll(/\\n/gi, '\n')
    .replaceAll(/\\([\\,;])/g, '$1')
    .trim();
}

/** `20240301T090000Z` as `2024-03-01 09:00 UTC`. */
function dateOf(value: string, zone: string | undefined): string {
  const [, year, month, day, hour, minute, utc] = /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)\d\d(Z)?)?/.exec(value) ?? [];
  if (!year) return value;
  const place = utc ? ' UTC' : zone ? ` ${zone}` : '';
  return `${year}-${month}-${day}${hour ? ` ${hour}:${minute}${place}` : ''}`;
}

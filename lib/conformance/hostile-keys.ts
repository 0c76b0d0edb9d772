const LONG = 'long'.repeat(255);

/**
 * Keys that have been taken for one another, or for something else, by one store or another. All of them differ.
 */
export const hostileKeys: readonly string[] = [
  // Names that objects have already.
  ...['__proto__', 'constructor', 'hasOwnProperty', 'toString', 'null', 'undefined', 'NaN', '0', '-1', '00'],
  // What ends text, and how it is escaped.
  ...['\0', 'a\0', 'a\0b', '\\0', '%00', '\\u0000', '\u2400', 'a', 'ab'],
  ...['\n', '\r', '\r\n', '\t', '\x7f', 'a\nb', 'a\r\nb', 'a\\nb', '\u2028', '\u0085'],
  // Spaces at either end, of several kinds.
  ...[' ', '  ', 'a ', ' a', 'a  ', 'a\u00a0', 'a\u200b', '\ufeffa', 'a\ufeff'],
  // Paths, and how their separator is escaped.
  ...['/', '//', '.', '..', './a', '../a', '/a', 'a/', 'a//b', 'a/b', 'a/./b', 'a%2Fb', 'a%2fb', 'a%252Fb', 'a\\/b'],
  ...['a\u2044b', '\\', '\\\\', 'C:\\a', '~', 'zookeeper', 'a:b', 'a::b', ':', '#a', 'a?b=c&d', 'a+b', 'a%20b', 'a b'],
  // Hash tags of Redis Cluster, and patterns.
  ...[
    '{',
    '}',
    '{}',
    '{a}',
    '{a}b',
    '{b}a',
    '{{a}}',
    '*',
    '?',
    '[a]',
    '[',
    ']',
    '[^a]',
    'a*',
    '^a$',
    '.*',
    '$',
    '_',
    '%',
  ],
  // What other languages quote.
  ...['"', "'", '`', "a'b", "a''b", '";--', "';DROP TABLE a;--", '/* a */', '${a}', '$1', '<a>', '&amp;', '()', ','],
  // Pairs with one hash: that of Java, CRC-32, FNV-1a, FNV-1, and two of Bernstein's.
  ...['Aa', 'BB', 'plumless', 'buckeroo', 'costarring', 'liquid', 'creamwove', 'quists', 'hetairas', 'mentioner'],
  ...['haggadot', 'loathsomenesses'],
  // Letters that differ in case, in form, or in looks only.
  ...['A', 'AB', 'aB', 'i', 'I', '\u0131', '\u0130', 'ss', '\u00df', 'k', 'K', '\u212a', 'fi', '\ufb01', '\u0430'],
  ...['\u00e9', 'e\u0301', 'e', '\u00c5', '\u212b', 'A\u030a', '\uac00', '\u1100\u1161'],
  // Beyond the basic plane; written from the right.
  ...[
    '\u{1f512}',
    '\u{1f513}',
    '\u{1f512}\ufe0f',
    '\u{1f468}\u200d\u{1f469}',
    '\u65e5\u672c',
    '\u05d0\u05d1',
    '\u202ea',
  ],
  ...['\uffff', '\u{10ffff}', '\ud7ff', '\ue000'],
  // As long as can be: 1024 bytes, and what differs only at the very end.
  ...[`${LONG}abcd`, `${LONG}abce`, `${LONG}abcD`, `${LONG}abc`, `${LONG}abc `, `${LONG}\u{1f512}`, `${LONG}\u{1f513}`],
  ...['\u{1f512}'.repeat(256), `${'\u{1f512}'.repeat(255)}\u{1f513}`, '\0'.repeat(1024), '/'.repeat(1024)],
];

// SPDX-License-Identifier: Apache-2.0
//
// The words that the grammar knows, and where each may still be a name.
//
// The four classes are PostgreSQL's (src/include/parser/kwlist.h); the words of our own dialect
// (asof, checkpoint, describe, qualify, tolerance ...) are all unreserved.

/// Where a keyword may serve as a name without quotes.
public enum KeywordClass: Sendable {
    /// Anywhere.
    case unreserved
    /// As a column, table or alias, but not as the name of a function or type.
    case columnName
    /// As the name of a function or type only.
    case functionOrTypeName
    /// Only as a label behind AS.
    case reserved
}

/// The keywords, for completion and for deciding when a name must be quoted.
public enum KeywordList {
    /// All keywords in lower case, sorted, with whether each is fully reserved.
    public static let all: [(word: String, isReserved: Bool)] =
        classes.map { ($0.key, $0.value == .reserved) }.sorted { $0.0 < $1.0 }

    /// The class of a word in lower case, nil when it is no keyword.
    public static func keywordClass(of word: String) -> KeywordClass? { classes[word] }

    /// Whether a name must be quoted to come back as itself wherever a name may stand.
    public static func needsQuotes(_ name: String) -> Bool {
        var isFirst = true
        for byte in name.utf8 {
            guard Lexer.isIdentifierStart(byte) || (!isFirst && Lexer.isIdentifierPart(byte)) else { return true }
            if byte >= UInt8(ascii: "A"), byte <= UInt8(ascii: "Z") { return true }
            isFirst = false
        }
        if isFirst { return true }
        guard let found = classes[name] else { return false }
        return found != .unreserved
    }

    private static let classes: [String: KeywordClass] = {
        var table: [String: KeywordClass] = [:]
        for (words, keywordClass) in [
            (unreserved, KeywordClass.unreserved), (columnNames, .columnName),
            (functionOrTypeNames, .functionOrTypeName), (reserved, .reserved),
        ] {
            for word in words.split(whereSeparator: { $0 == " " || $0 == "\n" }) {
                table[String(word)] = keywordClass
            }
        }
        return table
    }()

    private static let reserved = """
        all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create
        current_catalog current_date current_role current_time current_timestamp current_user default deferrable
        desc distinct do else end except false fetch for foreign from grant group having in initially intersect
        into lateral leading limit localtime localtimestamp not null offset on only or order placing primary
        references returning select session_user some symmetric table then to trailing true union unique user
        using variadic when where window with
        """

    private static let functionOrTypeNames = """
        authorization binary collation concurrently cross current_schema freeze full ilike inner is isnull join
        left like natural notnull outer overlaps right similar tablesample verbose
        """

    private static let columnNames = """
        between bigint bit boolean char character coalesce dec decimal exists extract float greatest grouping inout
        int integer interval least national nchar none normalize nullif numeric out overlay position precision real
        row setof smallint substring time timestamp treat trim values varchar
        """

    private static let unreserved = """
        abort absent absolute access action add admin after aggregate also alter always asensitive asof assertion
        assignment at atomic attach attribute backward before begin breadth by cache call called cascade cascaded
        catalog chain characteristics checkpoint class close cluster columns comment comments commit committed
        compression configuration conflict connection constraints content continue conversion copy cost csv cube
        current cursor cycle data database day deallocate declare defaults deferred definer delete delimiter
        delimiters depends depth describe detach dictionary disable discard document domain double drop each enable
        encoding encrypted enum error escape event exclude excluding exclusive execute explain expression extension
        external family filter finalize first following force format forward function functions generated global
        granted groups handler header hold hour identity if ignore immediate immutable implicit import
        include including increment indent index indexes inherit inherits inline input insensitive insert instead
        invoker isolation key keys label language large last leakproof level listen load local location lock locked
        logged mapping match matched materialized maxvalue merge method minute minvalue mode month move name names
        new next nfc nfd nfkc nfkd no nothing notify nowait nulls object of off oids old operator option options
        ordinality others over overriding owned owner parallel parameter parser partial partition passing password
        plans policy preceding prepare prepared preserve prior privileges procedural procedure procedures program
        publication qualify quote quotes range read reassign recheck recursive ref referencing refresh reindex
        relative release rename repeatable replace replica reset respect restart restrict return returns revoke
        role rollback rollup routine routines rows rule savepoint scalar schema schemas scroll search second
        security sequence sequences serializable server session set sets share show simple skip snapshot source sql
        stable standalone start statement statistics stdin stdout storage stored strict string strip subscription
        support sysid system tables tablespace temp template temporary text ties tolerance transaction transform
        trigger truncate trusted type types uescape unbounded uncommitted unencrypted unknown unlisten unlogged
        until update vacuum valid validate validator value varying version view views volatile whitespace within
        without work wrapper write xml year yes zone
        """
}

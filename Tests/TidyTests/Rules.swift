import Foundation

/// A rule looks at files and names what is wrong, one line each; an empty answer is a pass.
///
/// Rules are pure, so that each can be shown a fault in `RulesTests.swift`.
enum Rules {
    typealias File = Repository.File

    // MARK: Text

    static let columnsMax = 100

    static func columns(_ file: File) -> [String] {
        file.lines.enumerated().compactMap { index, line in
            // A link has no place to break.
            guard line.count > columnsMax, !line.contains("https://") else { return nil }
            return "\(file.path):\(index + 1): \(line.count) columns"
        }
    }

    /// Work that is put off names its issue: `(#12)`.
    static func putOff(_ file: File) -> [String] {
        let words = ["TO" + "DO", "FIX" + "ME", "X" + "XX"]
        return file.lines.enumerated().compactMap { index, line in
            guard words.contains(where: { contains(line, word: $0) }),
                line.firstMatch(of: /#\d+/) == nil
            else { return nil }
            return "\(file.path):\(index + 1): put off without an issue number"
        }
    }

    /// Nothing of the machine it was written on.
    static func machine(_ file: File) -> [String] {
        // In pieces, or this file would be the first finding.
        let traces = [
            ["/wo", "rk/"], ["/ro", "ot/"], ["/ho", "me/"], ["/opt", "/swift"],
            ["deb.deb", "ian.org"],
            ["py", "pi.org"], ["pythonho", "sted.org"], ["registry.np", "mjs"], ["crat", "es.io"],
            ["proxy.gol", "ang"], ["security.deb", "ian.org"], ["hopr", "-wire"],
        ].map { $0.joined() }
        return file.lines.enumerated().flatMap { index, line in
            traces.filter { line.contains($0) }.map { "\(file.path):\(index + 1): \($0)" }
        }
    }

    /// A page that is named is a page of ours.
    static func pages(_ file: File, tracked: Set<String>) -> [String] {
        file.lines.enumerated().flatMap { index, line -> [String] in
            guard line.contains(".md"), !line.contains("https://") else { return [] }
            return line.matches(of: /[A-Za-z0-9_.\/-]+\.md\b/).compactMap { match in
                let name = match.output.split(separator: "/").last.map(String.init) ?? ""
                return tracked.contains(name)
                    ? nil : "\(file.path):\(index + 1): no page \(match.output)"
            }
        }
    }

    /// A source that a page names is in the tree: ``Relay/Worker.swift`` or ``dray.h``.
    static func sources(_ file: File, tracked: [String]) -> [String] {
        guard file.isOne(".md") else { return [] }
        return file.lines.enumerated().flatMap { index, line in
            line.matches(of: /`([A-Za-z0-9_+\/.]+\.(?:swift|c|h|cpp|sh))`/).compactMap { match in
                let name = String(match.output.1)
                let isThere = tracked.contains { $0 == name || $0.hasSuffix("/" + name) }
                return isThere ? nil : "\(file.path):\(index + 1): no source \(name)"
            }
        }
    }

    // MARK: Code

    /// Lines that a screen shows.
    static let screen = 60

    /// Functions longer than a screen: "path name" → lines. Formatting is checked elsewhere, so a
    /// function ends at the first brace with the indentation of its head.
    static func longFunctions(_ file: File) -> [String: Int] {
        let lengths = file.path.hasSuffix(".swift") ? swiftFunctions(file) : cFunctions(file)
        return lengths.filter { $0.value > screen }
    }

    private static func swiftFunctions(_ file: File) -> [String: Int] {
        var lengths: [String: Int] = [:]
        let head =
            #/
            ^(\ *) (?:@[^\ ]+\ )* (?:[a-z]+(?:\([a-z]+\))?\ )*
            (?: func\ +(`[^`]+`|[^\ (<]+) | (init|deinit|subscript)\b )
            /#
        let lines = file.lines
        for (start, line) in lines.enumerated() {
            guard let match = line.firstMatch(of: head) else { continue }
            let indent = String(match.output.1)
            // The body opens at the next line that ends with a brace, at most a head away.
            guard
                let open = (start..<min(start + 16, lines.count)).first(where: {
                    lines[$0].hasSuffix("{")
                }),
                lines[start..<open].allSatisfy({ !$0.hasSuffix("}") && !$0.isEmpty })
            else { continue }
            guard let close = (open..<lines.count).first(where: { lines[$0] == indent + "}" })
            else { continue }
            let name = match.output.2 ?? match.output.3 ?? "?"
            lengths["\(file.path) \(name)", default: 0] = max(
                lengths["\(file.path) \(name)"] ?? 0,
                close - start + 1
            )
        }
        return lengths
    }

    private static func cFunctions(_ file: File) -> [String: Int] {
        var lengths: [String: Int] = [:]
        var head: (line: Int, text: Substring)?
        for (index, line) in file.lines.enumerated() {
            if line.hasPrefix("}") {
                if let head, head.text.contains("("), !head.text.contains("=") {
                    let name = head.text.prefix { $0 != "(" }.split(separator: " ").last ?? "?"
                    lengths["\(file.path) \(name)"] = index - head.line + 1
                }
                head = nil
            } else if let first = line.first, first.isLetter || first == "_" {
                head = (index, line)
            }
        }
        return lengths
    }

    /// Modules whose business is memory.
    static let memoryModules: Set = ["Bytes", "Crypto", "Cipher", "Datapath", "DrayABI"]

    /// How often the word is written in code, per module outside those.
    static func unsafeCounts(_ files: [File]) -> [String: Int] {
        var counts: [String: Int] = [:]
        for file in files where file.isOne(".swift") && file.path.hasPrefix("Sources/") {
            let module = String(file.path.split(separator: "/")[1])
            guard !memoryModules.contains(module) else { continue }
            let count = code(file).reduce(0) { $0 + $1.matches(of: /\bunsafe\b/).count }
            if count > 0 { counts[module, default: 0] += count }
        }
        return counts
    }

    /// A source that declares nothing.
    static func empty(_ file: File) -> [String] {
        let statements = code(file).filter { line in
            let text = line.trimmingCharacters(in: .whitespaces)
            return !text.isEmpty && imported(Substring(text)) == nil && !text.hasPrefix("#")
        }
        // A translation unit may be nothing but includes of kernels.
        let includes = file.lines.filter {
            $0.hasPrefix("#include") || $0.hasPrefix("#pragma once")
        }
        guard statements.isEmpty, file.isOne(".swift") || includes.count < 2 else { return [] }
        return ["\(file.path): declares nothing"]
    }

    // MARK: The import graph

    /// What comes with the toolchain.
    static let system: Set = [
        "Glibc", "Musl", "Synchronization", "FoundationEssentials", "Foundation", "Testing",
        "PackageDescription", "Dispatch",
    ]

    /// Level of each module of Sources; within L4 the order of the planes decides.
    static let levels: [String: Int] = [
        "Bytes": 0, "JSON": 0, "LocalSocket": 0, "Crypto": 1, "Cipher": 1, "Datapath": 1,
        "Sphinx": 2, "Tickets": 2, "Link": 2, "Trace": 2,
        "Exchange": 3,
        "Engine": 4, "Relay": 4, "Store": 4, "Chain": 4, "Channels": 4, "Gateway": 4, "Conform": 5,
        "Node": 5, "DrayABI": 6, "dray": 6,
    ]
    static let planes = [["Engine", "Relay"], ["Store", "Chain", "Channels", "Gateway"]]

    /// The one module (and its test) that knows a C library, where that is a rule.
    static let owners: [String: Set<String>] = [
        "CKernels": ["Crypto", "CryptoTests", "CKernelProbe"],
        "CCrypto": ["Cipher", "CLoadIO"],
        "CRing": ["Datapath"],
        "CUring": ["CRing"],
        "CLMDB": ["Store"],
        "CSecp256k1": [
            "Crypto", "CKernels", "CKernelProbe", "TicketsTests", "CryptoTests", "dray-bench",
        ],
        "CToml": ["Node"],
        "CDray": ["DrayABI"],
        "CJansson": ["JSON"],
        "CJemalloc": ["Node", "dray", "dray-bench"],
    ]

    /// Every import is a direct dependency, and Foundation stays out of the packet's way.
    static func imports(_ file: File, _ manifest: Manifest) -> [String] {
        guard file.isOne(".swift"), file.path != "Package.swift" else { return [] }
        guard let target = manifest.target(of: file.path) else {
            return ["\(file.path): in no target of Package.swift"]
        }
        let inSources = file.path.hasPrefix("Sources/")
        return code(file).compactMap { line in
            guard let module = imported(line) else { return nil }
            if system.contains(module) {
                let level = levels[target.name] ?? 0
                let isControl = level > 4 || planes[1].contains(target.name)
                let isAllowed =
                    switch module {
                    case "Foundation", "Testing", "Dispatch": !inSources
                    case "FoundationEssentials": !inSources || isControl
                    default: true
                    }
                return isAllowed ? nil : "\(file.path): \(target.name) must not import \(module)"
            }
            guard !target.dependencies.contains(module) else { return nil }
            return "\(file.path): \(module) is no direct dependency of \(target.name)"
        }
    }

    /// Dependencies point down, the planes do not know each other, a C library has one owner.
    static func layers(_ manifest: Manifest) -> [String] {
        manifest.targets.flatMap { target in
            target.dependencies.sorted().compactMap { dependency in
                if let owners = owners[dependency], !owners.contains(target.name) {
                    return "\(target.name) must not depend on \(dependency)"
                }
                if dependency == "JSON", let level = levels[target.name],
                    level < 4 || planes[0].contains(target.name)
                {
                    return "\(target.name) must not depend on JSON: text stays off the packet path"
                }
                guard let upper = levels[target.name], let lower = levels[dependency] else {
                    return nil
                }
                if lower < upper { return nil }
                if lower == upper, let plane = planes.first(where: { $0.contains(target.name) }),
                    let from = plane.firstIndex(of: target.name),
                    let to = plane.firstIndex(of: dependency), to < from
                {
                    return nil
                }
                return "\(target.name) must not depend on \(dependency): not below it"
            }
        }
    }

    /// Every module of Sources has a level.
    static func unlevelled(_ manifest: Manifest) -> [String] {
        manifest.targets.filter { $0.path.hasPrefix("Sources/") && levels[$0.name] == nil }
            .map { "\($0.name) has no level in \(#fileID)" }
    }

    /// A dependency that no file imports is not drawn.
    static func unused(_ files: [File], _ manifest: Manifest) -> [String] {
        manifest.targets.flatMap { target -> [String] in
            let own = files.filter { $0.path.hasPrefix(target.path + "/") && $0.isOne(".swift") }
            guard !own.isEmpty, !target.path.isEmpty else { return [] }
            let programs = manifest.targets.filter { $0.isProgram }.map(\.name)
            let imports = Set(own.flatMap { code($0).compactMap { imported($0) } })
            return target.dependencies.subtracting(imports).subtracting(programs).sorted()
                .map { "\(target.name) depends on \($0) and does not import it" }
        }
    }

    // MARK: Files

    /// A header that nobody includes and no module map names.
    static func deadHeaders(_ files: [File]) -> [String] {
        let mentions = files.filter { $0.isOne(".c", ".h", ".cpp", ".S", ".modulemap") }
        return files.filter { $0.isOne(".h", ".inc") }.compactMap { header in
            // SwiftPM hands a target's one public header out by itself.
            let isUsed = mentions.contains { file in
                file.path != header.path
                    && file.lines.contains { line in
                        (line.contains("#include") || line.contains("header"))
                            && line.contains(header.name + "\"")
                    }
            }
            return isUsed ? nil : "\(header.path): nobody includes it"
        }
    }

    /// A file that is not compiled is named, or its folder is, in some other file.
    static func unnamed(_ files: [File]) -> [String] {
        let compiled = [".swift", ".c", ".h", ".cpp", ".S", ".modulemap", ".inc"]
        let texts = files.filter { $0.text != nil && !$0.isOne(".json") }
        return files.compactMap { file in
            if compiled.contains(where: { file.path.hasSuffix($0) }) { return nil }
            if file.name.hasPrefix(".") || !file.path.contains("/") || file.name == "README.md" {
                return nil
            }
            // Pages of a module: DocC finds them by folder. Vectors and corpora have rules of
            // their own.
            if file.path.contains(".docc/") || file.name.hasPrefix("notes.") { return nil }
            if file.path.hasPrefix("Tests/Vectors/") { return nil }
            if file.path.hasPrefix("Tests/Fuzz/Corpus/") { return nil }
            let folder = file.path.split(separator: "/").dropLast().last.map(String.init) ?? ""
            let stem = String(file.name.prefix { $0 != "." })
            let isNamed = texts.contains { other in
                guard other.path != file.path, let text = other.text else { return false }
                return text.contains(file.name) || text.contains(stem)
                    || text.contains(folder + "/")
            }
            return isNamed ? nil : "\(file.path): named nowhere"
        }
    }

    /// Vector files whose kind (the name up to the profile) or whole name the page does not have.
    static func unexplainedVectors(_ files: [File], _ page: String) -> [String] {
        files.filter { $0.path.hasPrefix("Tests/Vectors/") && $0.isOne(".json") }.compactMap {
            file in
            let stem = file.name.dropLast(".json".count)
            let kind = stem.replacing(/-(head|v4|mix13).*$/, with: "")
            let isExplained = page.contains("`\(kind)") || page.contains("`\(file.name)")
            return isExplained ? nil : "\(file.path): not in the page"
        }
    }

    // MARK: Codes

    /// Cases of `Drop` in order, and whether a comment stands before each.
    static func dropCases(_ file: File) -> [(name: String, isDocumented: Bool)] {
        let lines = file.lines
        return lines.indices.compactMap { index in
            guard let match = lines[index].firstMatch(of: /^    case ([a-zA-Z]+)$/) else {
                return nil
            }
            let before = index > 0 ? lines[index - 1].trimmingCharacters(in: .whitespaces) : ""
            return (String(match.output.1), before.hasPrefix("///"))
        }
    }

    /// Sources that name every code and give none.
    static let dropTables: Set = [
        "Drop.swift", "DropName.swift", "PacketCosts.swift", "PacketLedger.swift",
    ]

    /// Codes that no line of Sources gives.
    static func unusedDrops(_ names: [String], _ files: [File]) -> Set<String> {
        let texts = files.filter {
            $0.isOne(".swift") && $0.path.hasPrefix("Sources/")
                && !dropTables.contains($0.name)
        }.flatMap { code($0) }
        let used = Set(
            texts.flatMap { $0.matches(of: /\.([a-zA-Z]+)\b/).map { String($0.output.1) } }
        )
        return Set(names).subtracting(used)
    }

    // MARK: Helpers

    /// Lines without what follows `//`. Good enough for counting; strings are not parsed.
    static func code(_ file: File) -> [Substring] {
        file.lines.map { line in
            line.firstRange(of: "//").map { line[..<$0.lowerBound] } ?? line
        }
    }

    /// The module an import line names.
    static func imported(_ line: Substring) -> String? {
        guard line.contains("import ") else { return nil }
        let form =
            #/
            ^\s* (?:@[^\ ]+\ )* (?:[a-z]+\ )? import\ 
            (?: (?:struct|class|enum|protocol|func|var|let|typealias)\ )? ([A-Za-z_0-9]+)
            /#
        return line.firstMatch(of: form).map { String($0.output.1) }
    }

    private static func contains(_ line: Substring, word: String) -> Bool {
        var rest = line
        while let range = rest.firstRange(of: word) {
            let before = rest[..<range.lowerBound].last
            let after = rest[range.upperBound...].first
            func isLetter(_ character: Character?) -> Bool {
                character.map { $0.isLetter || $0.isNumber || $0 == "_" } ?? false
            }
            if !isLetter(before), !isLetter(after) { return true }
            rest = rest[range.upperBound...]
        }
        return false
    }
}

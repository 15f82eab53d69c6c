import Foundation
import JSON
import Testing

@testable import Node

@Suite struct CommandLineTests {
    @Test(
        arguments: [
            ([], 2, "usage: dray"), (["flyy"], 2, "unknown verb"),
            (["stauts"], 2, "did you mean dray status?"),
            (["channels"], 2, "dray channels list"), (["run"], 2, "needs --config FILE"),
            (["run", "--confg", "x"], 2, "did you mean --config?"),
            (["run", "--config"], 2, "needs a value"),
            (["check", "--config", "/nowhere/x.toml"], 2, "No such file"),
            (
                ["keygen", "--out", "/nowhere/keys/deep", "--passphrase-file", "/nowhere/p"], 2,
                "p: "
            ),
            (["status", "--socket", "/nowhere/admin.sock"], 3, "no node answers"),
            (["ledger", "status", "--socket", "/nowhere/ledger.sock"], 3, "ledger"),
            (["channels", "open", "--socket", "x", "--to", "12", "--amount", "1"], 2, "--to 12"),
            (["trace"], 2, "dray trace record, dray trace replay, dray trace show"),
            (["trace", "record", "--socket", "x"], 2, "needs --out FILE"),
            (["trace", "record", "--socket", "/nowhere/s", "--out", "x"], 3, "no node answers"),
            (["trace", "record", "--socket", "x", "--out", "x", "--bytes", "9"], 2, "4096"),
            (["trace", "show"], 2, "needs FILE"),
            (["trace", "show", "/nowhere/x.trace"], 1, "cannot read /nowhere/x.trace"),
            (["trace", "show", "/dev/null"], 1, "/dev/null: byte 0: the file ends too early"),
            (["trace", "replay", "--in", "x", "--config", "x", "--to", "12"], 2, "--to 12"),
            (["tunnel", "--config", "x", "--to", "y", "--listen", "z"], 2, "x:0: "),
        ] as [([String], Int32, String)]
    )
    func `wrong words get one clear line and the right code`(
        arguments: [String],
        code: Int32,
        expected: String
    ) throws {
        let outcome = try Program.run(arguments)
        #expect(outcome.code == code)
        #expect(outcome.errors.contains(expected), "\(outcome.errors)")
        #expect(outcome.output.isEmpty)
    }

    @Test func `every verb explains itself with an example`() throws {
        let overview = try Program.run(["--help"]).output
        let verbs = overview.split(separator: "\n")
            .drop { !$0.hasPrefix("  keygen") }.prefix {
                $0.hasPrefix("  ") && !$0.contains("VERB")
            }
            .map { line in
                line.split(separator: " ").prefix(2).map(String.init)
            }
        #expect(verbs.count >= 16)
        let pairs = ["channels", "tickets", "ledger", "trace"]
        for verb in verbs {
            let words = pairs.contains(verb[0]) ? verb : [verb[0]]
            let help = try Program.run(words + ["--help"])
            #expect(
                help.code == 0 && help.output.contains("example:\n  dray \(words[0])"),
                "\(words)"
            )
        }
    }

    @Test func `the version names commit and kernels, for machines too`() throws {
        #expect(try Program.run(["--version"]).output.contains("kernels "))
        let document = try JSON.parse(try Program.run(["--version", "--json"]).output)
        #expect(document["commit"]?.text?.isEmpty == false)
    }

    @Test func `an unknown kernel table is refused`() throws {
        let outcome = try Program.run(["--version"], environment: ["DRAY_CPU": "abacus"])
        #expect(outcome.code == 2)
        #expect(outcome.errors.contains("DRAY_CPU"))
    }

    @Test func `a configuration's errors are listed, for machines too`() throws {
        let fixture = try Fixture()
        let path = "\(fixture.folder)/x.toml"
        try Files.create(path, Array("[node]\nlissten = 1\n".utf8))
        let outcome = try Program.run(["check", "--config", path])
        #expect(outcome.code == 2)
        #expect(outcome.errors.contains("x.toml:2: node.lissten: unknown key; did you mean"))
        let json = try Program.run(["check", "--config", path, "--json"])
        #expect(json.code == 2)
        #expect(try JSON.parse(json.output)["ok"]?.bool == false)
        #expect(json.errors.isEmpty)
    }

    @Test func `keys are made once, and the next packet key is asked for`() throws {
        let fixture = try Fixture()
        let keys = "\(fixture.folder)/keys"
        let secret = ["DRAY_PASSPHRASE": "secret"]
        #expect(try Program.run(["keygen", "--out", keys]).code == 2)
        let made = try Program.run(["keygen", "--out", keys, "--json"], environment: secret)
        #expect(made.code == 0)
        #expect(try JSON.parse(made.output)["packet_keys"]?.elements?.count == 1)
        let again = try Program.run(["keygen", "--out", keys], environment: secret)
        #expect(again.code == 1 && again.errors.contains("never overwritten"))
        let wrong = ["DRAY_PASSPHRASE": "wrong"]
        let refused = try Program.run(["keygen", "--out", keys, "--rotate"], environment: wrong)
        #expect(refused.code == 2 && refused.errors.contains("wrong passphrase"))
    }
}

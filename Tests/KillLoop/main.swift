// What the kill -9 tests kill: `kill-loop ledger FOLDER SOCKET` and
// `kill-loop node FOLDER SOCKET FIRST-INDEX|drain`.
let arguments = Array(CommandLine.arguments.dropFirst())
switch arguments.first {
case "ledger" where arguments.count == 3: serveLedger(folder: arguments[1], socket: arguments[2])
case "node" where arguments.count == 4:
    runNode(folder: arguments[1], socket: arguments[2], first: UInt64(arguments[3]))
default: fail("usage: kill-loop ledger|node ...")
}

import Harness

/// Everything that can be measured.
func allCases() -> [Case] { [] }

/// Name of the kernel table in use.
func tableName() -> String { "portable" }

"""The command line, one module per group of commands; `medsafe.cli` puts them together. They ask and print, and judge nothing."""

// Backups, sticks, aliases, and what else moves whole pieces about.
extension CommandTable {
  static let storage: [Command] = [
    Command(
      .accountPropose, "account propose", "", "make up a password that can be read over the phone",
      details: """
        Ten syllables, chosen at random out of 64: nobody guesses them. The password is
        nobody's yet; hand it to `account add` or `account passwd`.
        """),
    Command(
      .accountSheet, "account sheet", "NAME", least: 1, most: 1, "what NAME types into a mail program",
      details: """
        Servers, ports, encryption, user name, and the fingerprint to compare with.
        """),
    Command(
      .aliasList, "alias list", "[NAME]", most: 1, "aliases and groups, and whom they reach",
      details: """
        All of them, or one.
        """),
    Command(
      .aliasSet, "alias set", "NAME TARGET...", least: 2, most: 1000, "make or change an alias or a group",
      details: """
        Mail to NAME goes to each TARGET: accounts, or other aliases. NAME may be sales,
        sales@shop.example (of one domain), or @shop.example (all else of a domain).
        The rest of the file stays as it is. A running server takes notice by itself.
        """),
    Command(
      .aliasRemove, "alias remove", "NAME", least: 1, most: 1, "take an alias or a group away",
      details: """
        Mail to NAME is refused from then on, unless there is an account of that name.
        """),
    Command(
      .mailMove, "mail move", "FROM TO SEQ...", least: 3, most: 10_000, "move messages to another maildrop",
      details: """
        Each message is first stored for TO and then deleted for FROM, where it can be
        restored. For mail programs of TO it is new. After a power cut in between, one
        message is in both.
        """),
    Command(
      .mailDiscard, "mail discard", "NAME SEQ...", least: 1, most: 10_000, options: [.all],
      "delete messages for good",
      details: """
        Waiting or deleted before: nothing restores them. Their room is given back when
        the server next sweeps.

          --all  everything in the maildrop
        """),
    Command(
      .backupCreate, "backup create", "FILE", least: 1, most: 1, options: [.force],
      "save configuration, accounts and mail in one file",
      details: """
        Mail is served meanwhile. What was received, or deleted, before it began is in
        it. The file is a tar archive with checksums; it is read back and compared
        before it gets its name. In a directory it is named after the host and the day.

        FILE may be stick:FILE, on the USB stick that is in, or just stick: alone.

        It holds the mail, the passwords' verifiers and the certificate's key.

          --force  put it in the place of a FILE that is there
        """),
    Command(
      .backupVerify, "backup verify", "FILE", least: 1, most: 1, "look whether a backup is whole",
      details: """
        Reads all of it and compares it with its checksums. Of a directory, or of
        stick: alone, the latest backup in it is meant.
        """),
    Command(
      .backupRestore, "backup restore", "FILE", least: 1, most: 1, options: [.force],
      "put a backup in the place of what is here",
      details: """
        Configuration, accounts, aliases, certificate and mail become what the backup
        has; network and clock stay. Each message keeps its number and unique id, so
        mail programs fetch nothing twice. FILE is verified first. After a power cut
        all of it is restored, or nothing; the server stands still meanwhile.

          --force  also where there are accounts or mail, which are lost
        """),
    Command(
      .backupResume, "backup resume", "", "finish a restore or reset that a power cut has interrupted",
      details: """
        The server's unit does so by itself before it starts.
        """),
    Command(
      .reset, "reset", "", options: [.wipeMail, .yes], "forget the configuration; the mail, too, when asked",
      details: """
        Configuration, network, PIN and certificate become what they were at first.
        Accounts, aliases and mail stay. After a power cut all of it is done, or
        nothing. The appliance starts again afterwards.

          --wipe-mail  accounts, aliases, the journal and ALL MAIL go, too
          --yes        needed: nobody is asked
        """),
    Command(
      .stickList, "stick list", "", "the USB sticks that are in",
      details: """
        Name, size, file system, and who made it. The device's own disk is none.
        """),
    Command(
      .stickMount, "stick mount", "[NAME]", most: 1, "make a USB stick's files reachable",
      details: """
        They are below /run/restante-stick until `stick eject`. Commands that take
        stick:FILE do both by themselves. NAME is needed where several are in.
        """),
    Command(
      .stickEject, "stick eject", "", "let go of the USB stick, so that it can be pulled out",
      details: """
        Writes out what is still to be written.
        """),
  ]
}

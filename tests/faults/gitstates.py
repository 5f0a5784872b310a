# ruff: noqa: E501 - a row of a table is a line
"""Repositories of every kind and states of git, each as the lines of shell that make it and those that mend it.

A world is made before the run begins, in the folder around `repo` (`outer` is for what lies elsewhere). A state comes
upon a run that stands, in the repository; its second text is what a user does to end it.
"""

from __future__ import annotations

import shutil

LFS = "cd repo; git lfs install --local; git lfs track src/value; git add .gitattributes; git add --renormalize ."
LFS += "; git commit -qm start"

WORLDS: dict[str, str] = {
    "plain": "",
    "sha256": "rm -rf repo/.git; cd repo; git init -q --object-format=sha256; git add .gitignore theirs src;"
    " echo one > notes.txt; git add notes.txt; git commit -qm start; git branch other; git branch apart",
    "shallow": "mv repo outer/origin; git clone -q --no-single-branch --depth 1 file://$PWD/outer/origin repo;"
    " cd repo; git branch -q other origin/other; git branch -q apart origin/apart",
    "partial": "mv repo outer/origin; git -C outer/origin config uploadpack.allowFilter true; git clone -q"
    " --filter=blob:none file://$PWD/outer/origin repo; cd repo; git branch -q other origin/other;"
    " git branch -q apart origin/apart",
    "shared": "mv repo outer/origin; git clone -q --shared outer/origin repo; cd repo; git branch -q other origin/other;"
    " git branch -q apart origin/apart",
    "worktree": "mv repo outer/main; git -C outer/main switch -q --detach; git -C outer/main worktree add -q $PWD/repo main",
    "locked worktree": "mv repo outer/main; git -C outer/main switch -q --detach;"
    " git -C outer/main worktree add -q --lock $PWD/repo main",
    "worktree of a bare one": "git clone -q --bare repo outer/bare.git; rm -rf repo;"
    " git -C outer/bare.git worktree add -q $PWD/repo main",
    "git folder elsewhere": "mv repo/.git outer/gitdir; echo gitdir: $PWD/outer/gitdir > repo/.git",
    "git folder by a link": "mv repo/.git outer/gitdir; ln -s $PWD/outer/gitdir repo/.git",
    "repository by a link": "mv repo outer/real; ln -s outer/real repo",
    "submodule": "mv repo outer/inner; git init -q outer/super; cd outer/super; git -c protocol.file.allow=always"
    " submodule -q add ../inner sub; git commit -qm start; cd ../..; git -C outer/super submodule -q absorbgitdirs;"
    " ln -s outer/super/sub repo; cd repo; git switch -q main; git branch -q other origin/other;"
    " git branch -q apart origin/apart",
    "sparse": "cd repo; mkdir far; echo f > far/f; git add far; git commit -qm start; git sparse-checkout set src",
    "cone of files": "cd repo; mkdir far; echo f > far/f; git add far; git commit -qm start;"
    " git sparse-checkout set --no-cone '/*' '!far'",
    "lfs is missing": "cd repo; git config filter.lfs.clean 'git-lfs clean -- %f'; git config filter.lfs.smudge"
    " 'git-lfs smudge -- %f'; git config filter.lfs.process 'git-lfs filter-process'; echo '*.bin filter=lfs"
    " diff=lfs merge=lfs -text' > .gitattributes; git add .gitattributes; git commit -qm start",
    **({"lfs": LFS} if shutil.which("git-lfs") else {}),
    "crlf": "cd repo; git config core.autocrlf true",
    "crlf input": "cd repo; git config core.autocrlf input; git config core.safecrlf true",
    "attributes": "cd repo; echo '* text=auto eol=crlf' > .gitattributes; git add .gitattributes; git commit -qm start",
    "clean filter": "cd repo; git config filter.up.clean 'tr a-z A-Z'; git config filter.up.smudge 'tr A-Z a-z';"
    " echo 'src/other filter=up' > .gitattributes; git add .gitattributes src; git commit -qm start",
    "ident": "cd repo; echo 'src/* ident' > .gitattributes; git add .gitattributes; git commit -qm start",
    "fsmonitor": "cd repo; git config core.fsmonitor true",
    "fsmonitor of one's own": "cd repo; printf '#!/bin/sh\\nexit 1\\n' > .git/mon; chmod +x .git/mon;"
    " git config core.fsmonitor .git/mon",
    "hooks refuse": "cd repo; for h in pre-commit commit-msg prepare-commit-msg reference-transaction post-checkout"
    " post-index-change pre-auto-gc; do printf '#!/bin/sh\\nexit 1\\n' > .git/hooks/$h; chmod +x .git/hooks/$h; done",
    "hooks rewrite": "cd repo; printf '#!/bin/sh\\necho hooked >> src/value; git add -A\\n' > .git/hooks/pre-commit;"
    " cp .git/hooks/pre-commit .git/hooks/post-commit; chmod +x .git/hooks/p*-commit",
    "signing fails": "cd repo; git config commit.gpgSign true; git config gpg.program false; git config tag.gpgSign true",
    "detached": "cd repo; git switch -q --detach",
    "packed": "cd repo; git gc -q --aggressive --prune=now; git pack-refs --all",
    "odd branch": 'cd repo; git branch -q -m "feature/ü-x.y+z@1"; git branch -q main',
    "branch named like a flag": "cd repo; git update-ref refs/heads/-x HEAD; git symbolic-ref HEAD refs/heads/-x",
    "ambiguous": "cd repo; git tag main other; git tag HEAD other; git branch -q HEAD other; git update-ref refs/main other",
    "files named like refs": "cd repo; echo x > main; echo x > HEAD; echo x > ':'; echo x > -; echo x > --; git add -A --"
    " main HEAD ./: ./- ./--; git commit -qm start",
    "odd names": "cd repo; touch 'src/new\nline' 'src/\"quoted\"' src/-dash 'src/*' 'src/[a]' src/ü src/$(printf"
    " '\\377\\376') 'src/ lead' 'src/trail ' 'src/back\\slash' 'src/tab\there' 'src/:(top)x'; git add src; git commit -qm start",
    "odd folder": "",  # renamed by its own rule in combos.py
    "ignore case": "cd repo; git config core.ignorecase true; git config core.precomposeunicode true",
    "no modes": "cd repo; git config core.fileMode false; git config core.symlinks false",
    "index 4": "cd repo; git config index.version 4; git update-index --index-version 4; git config feature.manyFiles true",
    "split index": "cd repo; git update-index --split-index; git config core.splitIndex true",
    "untracked cache": "cd repo; git config core.untrackedCache true; git update-index --force-untracked-cache;"
    " git config status.showUntrackedFiles no",
    "worktree config": "cd repo; git config extensions.worktreeConfig true; git config --worktree core.abbrev 4",
    "include if": "cd repo; printf '[core]\\n\\tabbrev = 40\\n[status]\\n\\tshort = true\\n' > $HOME/inc;"
    " git config --global includeIf.gitdir:/.path $HOME/inc; git config include.path $HOME/missing",
    "loud settings": "cd repo; git config color.ui always; git config log.showSignature true; git config"
    " format.pretty fuller; git config diff.noprefix true; git config diff.mnemonicPrefix true; git config"
    " log.decorate full; git config core.quotePath true; git config status.branch true; git config log.date raw",
    "diff settings": "cd repo; git config diff.external false; git config diff.renames copies; git config diff.algorithm"
    " patience; git config diff.context 0; git config diff.interHunkContext 9; git config diff.suppressBlankEmpty true;"
    " git config diff.ignoreSubmodules all; git config diff.orderFile /missing; git config diff.relative true",
    "apply settings": "cd repo; git config apply.whitespace error-all; git config apply.ignoreWhitespace change;"
    " git config core.whitespace tab-in-indent; git config merge.conflictStyle diff3; git config commit.cleanup scissors",
    "commit settings": "cd repo; git config commit.template /missing; git config core.commentChar a; git config"
    " user.useConfigOnly true; git config commit.verbose true; git config trailer.separators '%';"
    " git config trailer.ifexists doNothing; git config i18n.commitEncoding latin-1; git config i18n.logOutputEncoding latin-1",
    "no identity": "cd repo; git config --global --unset user.name; git config --global --unset user.email;"
    " git config user.useConfigOnly true",
    "no logs": "cd repo; git config core.logAllRefUpdates false; rm -rf .git/logs; git config gc.reflogExpire now",
    "textconv": "cd repo; git config diff.x.textconv false; git config diff.x.command false; echo '* diff=x' >"
    " .git/info/attributes",
    "binary": "cd repo; echo '* binary' > .gitattributes; git add .gitattributes; git commit -qm start",
    "merge driver": "cd repo; git config merge.bad.driver false; echo '* merge=bad' > .git/info/attributes",
    "encoding": "cd repo; echo 'src/wide working-tree-encoding=UTF-16LE' > .gitattributes; printf 'a\\0b\\0' > src/wide;"
    " git add .gitattributes src; git commit -qm start",
    "ignored evidence": "cd repo; echo '*.tsv' >> .gitignore; echo '*.json' >> .gitignore; git add .gitignore; git commit -qm start",
    "all is ignored": "cd repo; echo '*' > .git/info/exclude",
    "excludes of the user": "cd repo; echo 'scratch*' > $HOME/ex; git config --global core.excludesFile $HOME/ex; echo mine"
    " > scratch1",
    "alias and pager": "cd repo; git config alias.status '!false'; git config alias.x '!false'; git config pager.status"
    " false; git config core.pager false; git config pager.diff 'false'; git config core.editor false",
    "replaced": "cd repo; git replace HEAD~0 HEAD~1 2>/dev/null || true",
    "note refs": "cd repo; git notes add -m hello; git config notes.displayRef '*'; git stash list",
    "many refs": 'cd repo; for i in $(seq 300); do echo "create refs/heads/b/$i HEAD"; done | git update-ref --stdin',
    "commit graph": "cd repo; git commit-graph write --reachable; git multi-pack-index write; git repack -adq",
    "merged history": "cd repo; git merge -q -s ours --no-edit -m start other",
    "links": "cd repo; ln -s value src/link; ln -s /etc/passwd src/out; ln -s nowhere src/dangling; git add src; git commit -qm start",
    "executable": "cd repo; chmod +x src/other; git add src; git commit -qm start",
    "read-only files": "cd repo; chmod 444 src/other src/value; chmod u+w src/value",
}

# A state: what makes it, what ends it. `B` is a folder for what is put aside.
STATES: dict[str, tuple[str, str]] = {
    "none": ("", ""),
    "merge": ("git merge other || true", "git merge --abort"),
    "merge without commit": (
        "git merge --no-commit --no-ff apart || true",
        "git merge --abort || git reset -q --merge",
    ),
    "squash": ("git merge --squash apart", "git rm -q --cached -f apart; rm -f apart .git/SQUASH_MSG"),
    "rebase": ("git -c rebase.autoStash=true rebase other || true", "git rebase --abort"),
    "rebase -i": (
        "GIT_SEQUENCE_EDITOR='sed -i 1s/pick/edit/' git -c rebase.autoStash=true rebase -i HEAD~1 || true",
        "git rebase --abort",
    ),
    "cherry-pick": ("git cherry-pick other || true", "git cherry-pick --abort"),
    "revert": (
        "git revert --no-edit HEAD~1 || true; git revert --no-commit HEAD || true",
        "git revert --abort || true",
    ),
    "am": ("git format-patch -q -1 other --stdout > $B/p; git am -q $B/p || true", "git am --abort; rm -f $B/p"),
    "bisect": ("git bisect start HEAD HEAD~2 || true", "git bisect reset"),
    "detached": ("git checkout -q --detach", "git checkout -q -"),
    "unborn": (
        "git symbolic-ref HEAD > $B/head; git symbolic-ref HEAD refs/heads/void",
        "git symbolic-ref HEAD $(cat $B/head)",
    ),
    "another branch": ("git checkout -q -b away", "git checkout -q -"),
    "another commit": ("git -c advice.detachedHead=false checkout -q -m HEAD~1", "git checkout -q -m -"),
    "stash": ("git stash -q", "git stash pop -q"),
    "stash all": ("git stash -q -u", "git stash pop -q"),
    "index.lock": ("touch $G/index.lock", "rm -f $G/index.lock"),
    "old index.lock": ("touch -d '2 days ago' $G/index.lock", "rm -f $G/index.lock"),
    "index.lock folder": ("mkdir $G/index.lock", "rm -rf $G/index.lock"),
    "HEAD.lock": ("touch $G/HEAD.lock", "rm -f $G/HEAD.lock"),
    "branch lock": ("touch $C/$(git symbolic-ref HEAD || echo HEAD).lock", "rm -f $C/refs/heads/*.lock $C/HEAD.lock"),
    "packed-refs.lock": ("touch $C/packed-refs.lock", "rm -f $C/packed-refs.lock"),
    "config.lock": ("touch $C/config.lock", "rm -f $C/config.lock"),
    "no index": ("cp $G/index $B/i; rm $G/index", "test -e $G/index || cp $B/i $G/index"),
    "junk index": ("cp $G/index $B/i; echo junk > $G/index", "cp $B/i $G/index"),
    "torn index": ("cp $G/index $B/i; head -c 100 $B/i > $G/index", "cp $B/i $G/index"),
    "empty index": ("cp $G/index $B/i; : > $G/index", "cp $B/i $G/index"),
    "index folder": ("mv $G/index $B/i; mkdir $G/index", "rm -rf $G/index; mv $B/i $G/index"),
    "index pipe": ("mv $G/index $B/i; mkfifo $G/index", "rm -rf $G/index; mv $B/i $G/index"),
    "index of zeros": ("mv $G/index $B/i; ln -s /dev/zero $G/index", "rm -f $G/index; mv $B/i $G/index"),
    "junk HEAD": ("cp $G/HEAD $B/h; echo junk > $G/HEAD", "cp $B/h $G/HEAD"),
    "no HEAD": ("mv $G/HEAD $B/h", "mv $B/h $G/HEAD"),
    "HEAD pipe": ("mv $G/HEAD $B/h; mkfifo $G/HEAD", "rm -f $G/HEAD; mv $B/h $G/HEAD"),
    "HEAD folder": ("mv $G/HEAD $B/h; mkdir $G/HEAD", "rmdir $G/HEAD; mv $B/h $G/HEAD"),
    "HEAD of zeros": ("mv $G/HEAD $B/h; ln -s /dev/zero $G/HEAD", "rm -f $G/HEAD; mv $B/h $G/HEAD"),
    "HEAD at a missing commit": (
        "cp $G/HEAD $B/h; echo 1234567890123456789012345678901234567890 > $G/HEAD",
        "cp $B/h $G/HEAD",
    ),
    "branch at a missing commit": (
        "r=$C/$(git symbolic-ref HEAD); git rev-parse HEAD > $B/r; echo $r > $B/n; mkdir -p $(dirname $r);"
        " echo 1234567890123456789012345678901234567890 > $r",
        "cp $B/r $(cat $B/n)",
    ),
    "branch of junk": (
        "r=$C/$(git symbolic-ref HEAD); git rev-parse HEAD > $B/r; echo $r > $B/n; echo junk > $r",
        "cp $B/r $(cat $B/n)",
    ),
    "branch pipe": (
        "r=$C/$(git symbolic-ref HEAD); git rev-parse HEAD > $B/r; echo $r > $B/n; rm -f $r; mkfifo $r",
        "rm -f $(cat $B/n); cp $B/r $(cat $B/n)",
    ),
    "junk packed-refs": (
        "cp $C/packed-refs $B/p || true; echo junk > $C/packed-refs",
        "rm $C/packed-refs; cp $B/p $C/packed-refs || true",
    ),
    "packed-refs folder": (
        "mv $C/packed-refs $B/p || true; mkdir $C/packed-refs",
        "rmdir $C/packed-refs; mv $B/p $C/packed-refs || true",
    ),
    "junk config": ("cp $C/config $B/c; echo '[junk' >> $C/config", "cp $B/c $C/config"),
    "no config": ("mv $C/config $B/c", "mv $B/c $C/config"),
    "config folder": ("mv $C/config $B/c; mkdir $C/config", "rmdir $C/config; mv $B/c $C/config"),
    "config pipe": ("mv $C/config $B/c; mkfifo $C/config", "rm $C/config; mv $B/c $C/config"),
    "config of zeros": ("mv $C/config $B/c; ln -s /dev/zero $C/config", "rm $C/config; mv $B/c $C/config"),
    "bare by setting": ("git config core.bare true", "git config core.bare false"),
    "worktree elsewhere": (
        "mkdir $B/wt; git config core.worktree $B/wt",
        "git --work-tree=. config --unset core.worktree",
    ),
    "worktree missing": ("git config core.worktree /missing", "git config --file $C/config --unset core.worktree"),
    "format 99": ("cp $C/config $B/c; git config core.repositoryformatversion 99", "cp $B/c $C/config"),
    "unknown extension": (
        "cp $C/config $B/c; git config core.repositoryformatversion 1; git config extensions.foo true",
        "cp $B/c $C/config",
    ),
    "refstorage": (
        "cp $C/config $B/c; git config core.repositoryformatversion 1; git config extensions.refStorage reftable",
        "cp $B/c $C/config",
    ),
    "junk home config": ("cp $HOME/.gitconfig $B/g; echo '[junk' >> $HOME/.gitconfig", "cp $B/g $HOME/.gitconfig"),
    "home config folder": (
        "mv $HOME/.gitconfig $B/g; mkdir $HOME/.gitconfig",
        "rmdir $HOME/.gitconfig; mv $B/g $HOME/.gitconfig",
    ),
    "no objects": ("mv $C/objects $B/o", "mv $B/o $C/objects"),
    "junk object": (
        "f=$C/objects/$(git rev-parse HEAD:src/value | sed s,..,\\&/,); echo $f > $B/n; mv $f $B/o; echo junk > $f",
        "f=$(cat $B/n); rm -f $f; mv $B/o $f",
    ),
    "missing object": (
        "f=$C/objects/$(git rev-parse HEAD:src/value | sed s,..,\\&/,); echo $f > $B/n; mv $f $B/o",
        "f=$(cat $B/n); test -e $f || mv $B/o $f",
    ),
    "missing commit": (
        "f=$C/objects/$(git rev-parse HEAD | sed s,..,\\&/,); echo $f > $B/n; mv $f $B/o",
        "f=$(cat $B/n); test -e $f || mv $B/o $f",
    ),
    "missing tree": (
        "f=$C/objects/$(git rev-parse HEAD^{tree} | sed s,..,\\&/,); echo $f > $B/n; mv $f $B/o",
        "f=$(cat $B/n); test -e $f || mv $B/o $f",
    ),
    "git gone": ("mv .git $B/git", "test -e $B/git || exit 0; mv $B/git .git"),
    "git a junk file": ("mv .git $B/git; echo junk > .git", "test -e $B/git || exit 0; rm .git; mv $B/git .git"),
    "git a file to nowhere": (
        "mv .git $B/git; echo gitdir: /missing > .git",
        "test -e $B/git || exit 0; rm .git; mv $B/git .git",
    ),
    "git a file to itself": (
        "mv .git $B/git; echo gitdir: .git > .git",
        "test -e $B/git || exit 0; rm .git; mv $B/git .git",
    ),
    "git an empty folder": ("mv .git $B/git; mkdir .git", "test -e $B/git || exit 0; rm -rf .git; mv $B/git .git"),
    "git a pipe": ("mv .git $B/git; mkfifo .git", "test -e $B/git || exit 0; rm .git; mv $B/git .git"),
    "git a loop": ("mv .git $B/git; ln -s .git .git", "test -e $B/git || exit 0; rm .git; mv $B/git .git"),
    "git zeros": ("mv .git $B/git; ln -s /dev/zero .git", "test -e $B/git || exit 0; rm .git; mv $B/git .git"),
    "git 10 MB": (
        "mv .git $B/git; head -c 10000000 /dev/zero > .git",
        "test -e $B/git || exit 0; rm .git; mv $B/git .git",
    ),
    "no info": ("mv $C/info $B/info", "rm -rf $C/info; mv $B/info $C/info"),
    "info a file": ("mv $C/info $B/info; echo x > $C/info", "rm $C/info; mv $B/info $C/info"),
    "exclude a pipe": (
        "mv $C/info $B/info; mkdir $C/info; mkfifo $C/info/exclude",
        "rm -r $C/info; mv $B/info $C/info",
    ),
    "exclude a folder": ("mv $C/info $B/info; mkdir -p $C/info/exclude", "rm -r $C/info; mv $B/info $C/info"),
    "exclude in latin-1": (
        "cp -r $C/info $B/info; printf '\\344\\n' >> $C/info/exclude",
        "rm -r $C/info; mv $B/info $C/info",
    ),
    "no logs": ("mv $C/logs $B/logs || true", "rm -rf $C/logs; mv $B/logs $C/logs || true"),
    "logs a file": ("mv $C/logs $B/logs || true; echo x > $C/logs", "rm -rf $C/logs; mv $B/logs $C/logs || true"),
    "alternates to nowhere": (
        "mkdir -p $C/objects/info; echo /missing > $C/objects/info/alternates.new; cp $C/objects/info/alternates $B/a || true;"
        " cat $C/objects/info/alternates.new >> $C/objects/info/alternates; rm $C/objects/info/alternates.new",
        "rm $C/objects/info/alternates; mv $B/a $C/objects/info/alternates || true",
    ),
    "grafts": ("git rev-parse HEAD~1 > $C/info/grafts || true", "rm -f $C/info/grafts"),
    "shallow file": (
        "cp $C/shallow $B/s || true; git rev-parse HEAD~1 > $C/shallow",
        "rm $C/shallow; cp $B/s $C/shallow || true",
    ),
    "junk shallow": ("cp $C/shallow $B/s || true; echo junk > $C/shallow", "rm $C/shallow; cp $B/s $C/shallow || true"),
    "junk attributes": ("printf '\\377\\376 x=\\n' > $C/info/attributes", "rm $C/info/attributes"),
    "filter fails": (
        "git config filter.bad.clean false; git config filter.bad.smudge false; git config filter.bad.required true;"
        " cp $C/info/attributes $B/at || true; echo 'src/* filter=bad' >> $C/info/attributes",
        "git config --remove-section filter.bad; rm $C/info/attributes; cp $B/at $C/info/attributes || true",
    ),
    "filter hangs not": (
        "git config filter.x.process 'echo hello'; cp $C/info/attributes $B/at || true; echo 'src/* filter=x' >> $C/info/attributes",
        "git config --remove-section filter.x; rm $C/info/attributes; cp $B/at $C/info/attributes || true",
    ),
    "packed now": ("git gc -q --prune=now", ""),
    "pruned": ("git reflog expire --expire=now --all; git gc -q --prune=now", ""),
    "refs packed": ("git pack-refs --all --prune", ""),
    "hooks a file": ("mv $C/hooks $B/hooks || true; echo x > $C/hooks", "rm $C/hooks; mv $B/hooks $C/hooks || true"),
    "tag like the branch": (
        "git tag $(git symbolic-ref --short HEAD || echo x) other",
        "git tag -d $(git symbolic-ref --short HEAD || echo x)",
    ),
    "staged by the user": ("echo s > staged; git add staged", "git rm -q --cached staged; rm -f staged"),
    "intent to add": ("echo s > staged; git add -N staged", "git rm -q --cached staged; rm -f staged"),
    "staged in scope": (
        "echo s > src/staged; git add src/staged",
        "git rm -q -f --cached src/staged || true; rm -f src/staged",
    ),
    "assume unchanged": (
        "git update-index --assume-unchanged src/other",
        "git update-index --no-assume-unchanged src/other",
    ),
    "skip worktree": ("git update-index --skip-worktree src/other", "git update-index --no-skip-worktree src/other"),
    "unmerged": (
        "o=$(git rev-parse HEAD:src/other); printf '100644 '$o' 1\\tsrc/other\\n100644 '$o' 2\\tsrc/other\\n' | git update-index --index-info",
        "git reset -q -- src/other",
    ),
    "ignore file edited": ("cp .gitignore $B/ig; echo > .gitignore", "cp $B/ig .gitignore"),
    "ignore file a folder": ("mv .gitignore $B/ig; mkdir .gitignore", "rmdir .gitignore; mv $B/ig .gitignore"),
    "ignore file a pipe": ("mv .gitignore $B/ig; mkfifo .gitignore", "rm .gitignore; mv $B/ig .gitignore"),
    "ignore file a loop": ("mv .gitignore $B/ig; ln -s .gitignore .gitignore", "rm .gitignore; mv $B/ig .gitignore"),
    "ignored is shown": (
        "cp .gitignore $B/ig; printf '!.env\\n!node_modules/\\n' >> .gitignore",
        "cp $B/ig .gitignore",
    ),
    "ignored in the scope is shown": (
        "printf 'keep\\n' > src/.gitignore; echo mine > src/keep; rm src/.gitignore",
        "rm -f src/keep",
    ),
    "nested repository": ("git init -q src/nest; echo n > src/nest/n", "rm -rf src/nest"),
    "nested with a commit": (
        "git init -q src/nest; echo n > src/nest/n; git -C src/nest add n; git -C src/nest commit -qm n",
        "rm -rf src/nest",
    ),
    "nested outside": ("git init -q nest; echo n > nest/n; git -C nest add n; git -C nest commit -qm n", "rm -rf nest"),
    "nested bare": ("git init -q --bare src/nest.git", "rm -rf src/nest.git"),
    "odd new files": (
        "printf x > \"src/$(printf 'a\\nb')\"; printf x > src/$(printf '\\377'); printf x > src/-n; printf x > 'src/a\"b'",
        "rm -f src/-n src/a* src/$(printf '\\377')",
    ),
    "pipe in the scope": ("mkfifo src/pipe", "rm src/pipe"),
    "pipe beside": ("mkfifo pipe", "rm pipe"),
    "socket in the scope": ("python3 -c 'import socket; socket.socket(1).bind(\"src/s\")'", "rm src/s"),
    "loop in the scope": ("ln -s loop src/loop", "rm -f src/loop"),
    "loop beside": ("ln -s loop loop", "rm loop"),
    "link to /": ("ln -s / src/root", "rm -f src/root"),
    "link in place of the scope": ("mv src $B/src; ln -s $B/src src", "rm src; mv $B/src src"),
    "file in place of the scope": ("mv src $B/src; echo x > src", "rm src; mv $B/src src"),
    "scope gone": ("mv src $B/src", "rm -rf src; mv $B/src src"),
    "tracked file a pipe": ("mv theirs $B/t; mkfifo theirs", "rm theirs; mv $B/t theirs"),
    "tracked file a loop": ("mv theirs $B/t; ln -s theirs theirs", "rm theirs; mv $B/t theirs"),
    "tracked file a folder": ("mv theirs $B/t; mkdir theirs; echo x > theirs/x", "rm -r theirs; mv $B/t theirs"),
    "tracked file gone": ("mv theirs $B/t", "mv $B/t theirs"),
    "commit of the user": ("echo u > u; git add u; git commit -qm user", ""),
    "empty commit": ("git commit -q --allow-empty -m user", ""),
    "commit in the scope": ("echo u > src/u; git add src/u; git commit -qm user -- src/u", ""),
    "merge commit": ("git merge -q --no-ff -m user apart", ""),
    "amended": ("git commit -q --amend -m user", ""),
    "amended author": ("git commit -q --amend --no-edit --author 'A B <a@b>'", ""),
    "reset back": ("git reset -q --soft HEAD~1", "git reset -q --soft ORIG_HEAD"),
    "branch renamed": ("git branch -m renamed", "git branch -m main"),
    "branch renamed for good": ("git branch -m renamed", ""),
    "new tag and branch": (
        "git tag autoresearch; git branch autoresearch/x",
        "git tag -d autoresearch; git branch -D autoresearch/x",
    ),
    "branch in the way of ours": ("git branch autoresearch; git branch done/x", "git branch -D autoresearch done/x"),
    "worktree added": ("git worktree add -q $B/wt apart", "git worktree remove --force $B/wt"),
    "worktree gone": ("git worktree add -q $B/wt apart; rm -rf $B/wt", "git worktree prune"),
    "sparse set": ("git sparse-checkout set src", "git sparse-checkout disable"),
    "submodule added": (
        "git -c protocol.file.allow=always submodule -q add $PWD/.git/../ sub || true",
        "git rm -q -f --cached sub .gitmodules || true; rm -rf sub .gitmodules $C/modules; git config --remove-section submodule.sub || true",
    ),
    "gitmodules of junk": ("echo '[junk' > .gitmodules", "rm .gitmodules"),
    "another owner's": ("chown -R 1 .git", "chown -R $(id -u) .git"),
    "git read-only": ("chmod -R a-w $G/", "chmod -R u+w $G/"),
    "git not to be read": ("chmod 0 $G", "chmod 755 $G"),
    "objects read-only": ("chmod -R a-w $C/objects", "chmod -R u+w $C/objects"),
    "refs read-only": ("chmod -R a-w $C/refs", "chmod -R u+w $C/refs"),
    "index not to be read": ("chmod 0 $G/index", "chmod 644 $G/index"),
    "config not to be read": ("chmod 0 $C/config", "chmod 644 $C/config"),
    "HEAD not to be read": ("chmod 0 $G/HEAD", "chmod 644 $G/HEAD"),
    "objects not to be read": ("chmod 0 $C/objects", "chmod 755 $C/objects"),
    "repository read-only": ("chmod a-w .", "chmod u+w ."),
    "scope read-only": ("chmod a-w src", "chmod u+w src"),
    "scope not to be read": ("chmod 0 src", "chmod 755 src"),
    "file not to be read": ("chmod 0 src/other", "chmod 644 src/other"),
    "file beside not to be read": ("chmod 0 theirs", "chmod 644 theirs"),
    "ignore file not to be read": ("chmod 0 .gitignore", "chmod 644 .gitignore"),
    "evidence read-only": ("chmod -R a-w autoresearch-evidence", "chmod -R u+w autoresearch-evidence"),
    "evidence not to be read": ("chmod 0 autoresearch-evidence", "chmod 755 autoresearch-evidence"),
    "log read-only": ("chmod a-w research-results.tsv", "chmod u+w research-results.tsv"),
    "log not to be read": ("chmod 0 research-results.tsv", "chmod 644 research-results.tsv"),
    "snapshot not to be read": ("chmod 0 autoresearch-state.json", "chmod 644 autoresearch-state.json"),
    "home not to be read": ("chmod 0 $HOME", "chmod 755 $HOME"),
    "home read-only": ("chmod a-w $HOME", "chmod u+w $HOME"),
}
# The states that root does not notice.
RIGHTS = tuple(name for name, (make, _) in STATES.items() if make.startswith("chmod"))

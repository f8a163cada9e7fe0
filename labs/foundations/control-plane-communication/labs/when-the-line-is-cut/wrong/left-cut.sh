# fails: restarted mended
# after: killed-while-cut.sh
fault link {{rig.node}} cut
sleep 90
